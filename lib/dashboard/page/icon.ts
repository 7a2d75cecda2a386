export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">
<path d="M5 7V5a3 3 0 0 1 6 0v2" fill="none" stroke="#c2410c" stroke-width="2"/>
<rect x="3" y="7" width="10" height="8" rx="2" fill="#c2410c"/>
</svg>
`;
