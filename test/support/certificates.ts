/**
 * Certificates that Postern did not make: other people's authorities, and wrong ones of its own.
 *
 * They come from openssl, so that a mistake in our own certificate code cannot hide behind itself.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from './processes.ts'

export type CertificateFiles = {
  /** PEM of the certificate, followed by its issuers up to the root, without it. */
  readonly certificate: string
  readonly key: string
}

export type OpensslAuthority = {
  /** PEM file of the root. */
  readonly certificate: string
  readonly key: string
  readonly issue: (wanted: WantedCertificate) => Promise<CertificateFiles>
}

export type WantedCertificate = {
  readonly name: string
  /** As in an openssl configuration: `email:joe@example.test`, `DNS:localhost,IP:127.0.0.1`. */
  readonly alternativeNames: string
  readonly usage: 'clientAuth' | 'serverAuth' | 'clientAuth,serverAuth'
  /** Days from now; both are negative for a certificate that has expired. */
  readonly fromDay?: number
  readonly toDay?: number
}

/** A new authority of its own, with a self-signed root. */
export async function makeAuthority(folder: string, name: string): Promise<OpensslAuthority> {
  mkdirSync(folder, { recursive: true })
  const certificate = join(folder, 'root.pem')
  const key = join(folder, 'root.key')
  // prettier-ignore
  await mustRun('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256', '-days', '30',
    '-subj', `/O=${name}/CN=${name} Root`, '-keyout', key, '-out', certificate,
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign',
  ])
  return openAuthority(folder, { certificate, key, chain: [] })
}

/** An authority whose certificate and key are there already. `chain` leads from it to its root, without the root. */
export function openAuthority(
  folder: string,
  files: { readonly certificate: string; readonly key: string; readonly chain: readonly string[] },
): OpensslAuthority {
  mkdirSync(folder, { recursive: true })
  const issue = async (wanted: WantedCertificate): Promise<CertificateFiles> => {
    const file = (ending: string): string => join(folder, `${wanted.name}.${ending}`)
    writeFileSync(join(folder, 'openssl.cnf'), configuration(folder, wanted))
    if (!existsSync(join(folder, 'index'))) writeFileSync(join(folder, 'index'), '')
    // prettier-ignore
    await mustRun('openssl', [
      'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256',
      '-subj', `/CN=${wanted.name}`, '-keyout', file('key'), '-out', file('csr'),
    ])
    // prettier-ignore
    await mustRun('openssl', [
      'ca', '-batch', '-notext', '-md', 'sha256', '-config', join(folder, 'openssl.cnf'),
      '-cert', files.certificate, '-keyfile', files.key, '-in', file('csr'), '-out', file('pem'),
      '-startdate', asTime(wanted.fromDay ?? -1), '-enddate', asTime(wanted.toDay ?? 30),
    ])
    const pem = [file('pem'), ...files.chain].map(path => readFileSync(path, 'utf8')).join('')
    writeFileSync(file('pem'), pem)
    return { certificate: file('pem'), key: file('key') }
  }
  return { certificate: files.certificate, key: files.key, issue }
}

function configuration(folder: string, wanted: WantedCertificate): string {
  return `
[ca]
default_ca = authority
[authority]
new_certs_dir = ${folder}
database = ${join(folder, 'index')}
unique_subject = no
rand_serial = yes
policy = anything
x509_extensions = leaf
[anything]
organizationName = optional
commonName = supplied
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = ${wanted.usage}
subjectAltName = ${wanted.alternativeNames}
`
}

/** `20301231235959Z`, days from now. */
function asTime(days: number): string {
  const time = new Date(Date.now() + days * 86_400_000).toISOString()
  return `${time.slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
}
