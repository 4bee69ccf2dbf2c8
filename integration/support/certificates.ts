import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFolder } from './run.ts';

/** A certificate authority of the test's own, and what it signed; all PEM texts. */
export type Certificates = {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
  /** The same as files, for settings that name files. */
  readonly files: { readonly ca: string; readonly clientCert: string; readonly clientKey: string };
};

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes certificates for hosts of these names and addresses, good for one day. */
export async function makeCertificates(
  hosts: readonly string[] = ['localhost', '127.0.0.1'],
): Promise<Certificates> {
  const folder = createFolder('certificates');
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });

  await openssl(
    'req',
    '-x509',
    ...KEY,
    '-days',
    '1',
    '-subj',
    '/CN=Test CA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  const subjects = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`);
  await writeFile(file('names'), `subjectAltName=${subjects.join()}\n`);
  for (const owner of ['server', 'client']) {
    await openssl('req', ...KEY, '-subj', `/CN=${owner}`, '-keyout', `${owner}.key`, '-out', `${owner}.csr`);
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    const names = ['-extfile', 'names', '-days', '1'];
    await openssl('x509', '-req', '-in', `${owner}.csr`, ...authority, ...names, '-out', `${owner}.crt`);
  }

  const text = (name: string) => readFile(file(name), 'utf8');
  return {
    ca: await text('ca.crt'),
    server: { cert: await text('server.crt'), key: await text('server.key') },
    client: { cert: await text('client.crt'), key: await text('client.key') },
    files: { ca: file('ca.crt'), clientCert: file('client.crt'), clientKey: file('client.key') },
  };
}
