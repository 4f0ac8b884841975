/** The certificate that a person wants to show: PEM with its key, or PKCS#12. */

import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import type { ClientCertificate } from '../io/smtp-probe.ts'
import { Problem, UsageProblem } from './command.ts'
import { askHidden, canAsk } from './confirm.ts'
import { reason } from './directory.ts'

export async function readClientCertificate(
  certificateFile: string,
  keyFile: string | undefined,
  passwordFile: string | undefined,
): Promise<ClientCertificate> {
  const bytes = readBytes(certificateFile)
  const certificate = bytes.includes('-----BEGIN ')
    ? { certificatePem: bytes.toString('utf8'), keyPem: keyFile === undefined ? bytes.toString('utf8') : readBytes(keyFile).toString('utf8') }
    : { pkcs12: bytes, password: await passwordOf(certificateFile, passwordFile) }
  const problem = unusable(certificate)
  if (problem === null) return certificate
  if (keyFile === undefined && problem.includes('no start line')) throw new UsageProblem(`${certificateFile} holds no private key; name its file with --key`)
  throw new Problem(`${certificateFile}: cannot be used as a client's certificate: ${problem}`)
}

/** In openssl's words, or null. */
function unusable(certificate: ClientCertificate): string | null {
  try {
    if ('pkcs12' in certificate) tls.createSecureContext({ pfx: Buffer.from(certificate.pkcs12), passphrase: certificate.password })
    else tls.createSecureContext({ cert: certificate.certificatePem, key: certificate.keyPem })
    return null
  } catch (error) {
    return reason(error)
  }
}

async function passwordOf(file: string, passwordFile: string | undefined): Promise<string> {
  if (passwordFile !== undefined) return readBytes(passwordFile).toString('utf8').replace(/\r?\n$/, '')
  if (!canAsk()) throw new UsageProblem(`${file} is a PKCS#12 file; give its password with --password-file`)
  return askHidden(`Password of ${file}:`)
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`)
  }
}
