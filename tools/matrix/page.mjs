import { BASELINE, WHAT } from './cells.mjs';

export function table(rows) {
  const lines = rows.map(({ cell, result }) => {
    const notes = (result?.notes ?? []).join(', ').replaceAll('|', '\\|');
    return `| ${cell.name} | ${result?.outcome ?? 'not measured'} | ${notes} | ${result?.measuredAt ?? ''} |`;
  });
  return ['| cell | result | met | measured |', '|---|---|---|---|', ...lines].join('\n');
}

/** docs/matrix.md */
export function page(rows) {
  const axes = [...new Set(rows.map(({ cell }) => cell.axis))];
  const sections = axes.map((axis) => {
    const own = rows.filter(({ cell }) => cell.axis === axis);
    return `## ${axis}\n\nEach cell: ${WHAT[axis]}.\n\n${table(own)}\n`;
  });
  const passed = rows.filter(({ result }) => result.outcome === 'passes').length;
  return `# What it runs on

Written by \`npm run matrix\`, which packs the library, installs it into projects, and runs them. ${passed} of ${rows.length} cells pass. One axis at a time differs from the
baseline: ${BASELINE}. \`npm run matrix -- --only TEXT\` runs one cell again.

*Two replicas* are two applications on real servers. A job runs at five ticks, once at each, 40 calls increase a counter under one lock, a held key gives the right error, and nothing keeps the
process alive. Other servers: \`npm run test:servers -- URL...\` ([the contract](contract.md)).

${sections.join('\n')}`;
}
