// Import direction: lib <- core <- {config, native, sampler, telemetry, ingest, control} <- http <- app <- {cli, main, index}.
// Beside that: core <- http-limit <- {fastify, express}, and core <- limiter.
// Type imports count too: a type that points upwards is a dependency like any other.

const SIBLINGS = ['config', 'native', 'sampler', 'telemetry', 'ingest', 'control'];
/** What a sibling may use of the others. */
const ALSO = { ingest: ['native'] };

const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: allowed.map((layer) => `^src/${layer}[/.]`) },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'resolves',
      comment: 'the import leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    only('lib-uses-lib', '^src/lib/', ['lib'], 'lib is tiny and generic'),
    {
      name: 'lib-without-packages',
      severity: 'error',
      from: { path: '^src/lib/' },
      to: { dependencyTypesNot: ['local', 'core', 'type-only'], pathNot: '^src/' },
    },
    {
      name: 'core-is-pure',
      comment: 'core imports nothing but lib and core: no node:*, no package',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: '^src/(core|lib)/' },
    },
    ...SIBLINGS.map((layer) =>
      only(
        `${layer}-knows-no-sibling`,
        `^src/${layer}/`,
        [layer, 'core', 'lib', ...(ALSO[layer] ?? [])],
        'app.ts hands one to another',
      ),
    ),
    only(
      'http-below-app',
      '^src/http/',
      ['http', ...SIBLINGS, 'core', 'lib'],
      'http does not know the composition root',
    ),
    only(
      'app-below-cli',
      '^src/app[/.]',
      ['app', 'version', 'http', ...SIBLINGS, 'core', 'lib'],
      'app does not know the commands',
    ),
    only(
      'cli-below-main',
      '^src/cli/',
      ['cli', 'version', 'app', 'http', ...SIBLINGS, 'core', 'lib'],
      'nothing imports main',
    ),
    only(
      'http-limit-stands-alone',
      '^src/http-limit/',
      ['http-limit', 'core', 'lib'],
      'a rate limit for HTTP brings no media server along',
    ),
    only(
      'exports-below-nothing',
      '^src/(limiter|fastify|express)\\.ts$',
      ['http-limit', 'core', 'lib'],
      'who imports a limiter gets a limiter',
    ),
    {
      name: 'exports-are-for-others',
      comment: 'what the package exports is made of the rest, not the other way round',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/(index|limiter|fastify|express)\\.ts$' },
    },
    {
      name: 'http-limit-without-frameworks',
      comment: 'who uses one framework need not have the other',
      severity: 'error',
      from: { path: '^src/(http-limit/|limiter\\.ts|fastify\\.ts|express\\.ts)' },
      to: { path: 'node_modules/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'node-media-server-is-fenced',
      comment: 'its internals move between minors; one file knows them',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ingest/rtmp/nms\\.ts$' },
      to: { path: 'node_modules/node-media-server' },
    },
    {
      name: 'src-without-dev-packages',
      comment: 'an installed package has no devDependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
  ],
  options: {
    // TypeScript 7 has no JavaScript API for the default parser to use; swc reads the same imports.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};
