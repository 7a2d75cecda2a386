// For webpack, and for rspack.
export default {
  mode: 'production',
  target: 'node20',
  entry: './smoke.mjs',
  output: { path: new URL('out', import.meta.url).pathname, filename: `${process.env.BUNDLER}.cjs` },
  externals: [
    // What Nest loads where it is installed.
    ({ request }, callback) =>
      /^(@nestjs\/(microservices|websockets|platform-express)|class-validator|class-transformer)(\/|$)/.test(request)
        ? callback(undefined, `commonjs ${request}`)
        : callback(),
  ],
  performance: false,
  ignoreWarnings: [/./],
};
