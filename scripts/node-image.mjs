// Makes a base image from this machine's Node and npm:  node scripts/node-image.mjs [tag]
//
// For `docker build --build-arg BASE=…` where no registry can be reached. It trusts the certificates, and takes
// the package registry, that this machine does.
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { importImage, libraries, which } from './host-image.mjs';

const tag = process.argv[2] ?? 'signalbox-node:local';
const npm = dirname(dirname(realpathSync(which('npm'))));
const registry = execFileSync('npm', ['config', 'get', 'registry'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
}).trim();
const certificates = '/etc/ssl/certs/ca-certificates.crt';
const trusted = existsSync(certificates);
// Any image with Node has the whole C library; native packages, such as the panel's bundler, need parts that Node does not.
const libc = libraries(process.execPath).find((path) => /\/libc\.so/.test(path));
const parts = ['librt.so.1', 'libpthread.so.0', 'libdl.so.2', 'libresolv.so.2', 'libutil.so.1']
  .map((name) => join(dirname(libc ?? '/'), name))
  .filter((path) => existsSync(path));

await importImage({
  tag,
  programs: { '/usr/local/bin/node': process.execPath, '/bin/sh': which('dash') },
  folders: {
    '/usr/local/lib/node_modules/npm': npm,
    ...Object.fromEntries(parts.map((path) => [path, path])),
    ...(trusted ? { [certificates]: certificates } : {}),
  },
  files: {
    '/usr/local/bin/npm': {
      text: '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n',
      mode: 0o755,
    },
    '/etc/passwd': { text: 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\n' },
    '/etc/group': { text: 'root:x:0:\nnode:x:1000:\n' },
  },
  empty: ['/tmp', '/root', '/home/node'],
  changes: [
    'ENV PATH=/usr/local/bin:/usr/bin:/bin',
    `ENV NPM_CONFIG_REGISTRY=${registry}`,
    ...(trusted ? [`ENV NODE_EXTRA_CA_CERTS=${certificates}`] : []),
    'CMD ["node"]',
  ],
});
console.log(tag);
