/** Who is asking, in a dry run of the policy: by certificate file, by name, or nobody. */

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from '../core/config/schema.ts'
import { countsFrom } from '../core/accounts/password-networks.ts'
import { identify, type HandshakeFacts } from '../core/names/identify.ts'
import type { Account, ClientIdentity } from '../core/names/identity.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import { ok } from '../core/result.ts'
import { authorityOf, peerCertificateOf } from '../io/x509.ts'
import { accountOf, withoutFingerprints } from '../relay/account-register.ts'
import { CertificateRegister } from '../relay/certificate-register.ts'
import { identityOfHolder, USUAL_TLS } from '../relay/holder-identity.ts'
import { readCertificateFile } from './certificate-file.ts'
import { Problem } from './command.ts'
import { readAccounts } from '../process/password-desk.ts'
import { inDirectory } from './directory.ts'
import { withAuthority } from './running.ts'

export async function identityByName(directory: string, name: string, now: number): Promise<ClientIdentity> {
  const { holders } = await withAuthority(directory, ask => ask({ do: 'list' }, 'listed'))
  const holder = holders.find(holder => holder.name.toLowerCase() === name.toLowerCase())
  const identity = holder === undefined ? null : identityOfHolder(holder, peerCertificateOf, now)
  if (identity === null) throw new Problem(`nobody named "${name}" holds a certificate; "postern user list" shows who does`)
  return identity
}

export type PasswordUse = { readonly name: string; readonly device: string; readonly client: string }

/** A password as it counts now, and from there. */
export async function accountByName(directory: string, { name, device, client }: PasswordUse): Promise<Account> {
  const { holders } = await withAuthority(directory, ask => ask({ do: 'list' }, 'listed'))
  const accounts = await readAccounts(directory, () => Promise.resolve(ok(holders)))
  if (!accounts.ok) throw new Problem(accounts.problem)
  const found = accounts.value(false)?.holders.find(({ holder }) => holder.name.toLowerCase() === name.toLowerCase())
  const password = found?.passwords.find(password => password.device === device)
  if (found === undefined || password === undefined) throw new Problem(`${name} has no password for "${device}" that counts; "postern user passwd ${name} --list" shows those there are`)
  if (!countsFrom(password, client)) {
    const where = password.networks.join(', ')
    throw new Problem(`the password of ${name} for "${device}" counts in ${where} only: a login with it from ${client} fails (535), and the client is nobody; ask with --anonymous what it may do then`)
  }
  return accountOf({ ...found, certificate: withoutFingerprints(peerCertificateOf(found.certificate)) }, password)
}

/** As a listener would judge it, if it came with nothing but the CAs that are known here. */
export async function identityByCertificate(
  directory: string,
  config: Config,
  asked: { readonly file: string; readonly listener: ListenerName; readonly now: number },
): Promise<ClientIdentity> {
  const { presented, x509 } = readCertificateFile(asked.file)
  const { authority, index } = await withAuthority(directory, async ask => ({
    ...(await ask({ do: 'show' }, 'shown')),
    ...(await ask({ do: 'index' }, 'index')),
  }))
  const furtherPem = config.listeners[asked.listener].clientCaFiles.map(file => readFileSync(inDirectory(directory, file), 'utf8'))
  const trusted = [authorityOf(authority.issuingPem, 'own'), ...furtherPem.map(pem => authorityOf(pem, 'foreign'))]
  const signers = [authority.issuingPem, ...furtherPem].map(pem => ({ certificate: new X509Certificate(pem), ...authorityOf(pem, 'foreign') }))
  const signer = signers.find(({ certificate }) => isSignedBy(x509, certificate))
  const facts: HandshakeFacts = {
    tls: USUAL_TLS,
    presented,
    chainVerified: signer !== undefined,
    chainError: signer === undefined ? 'UNABLE_TO_GET_ISSUER_CERT' : null,
    issuerKeyFingerprint: signer?.keyFingerprint ?? null,
  }
  return identify(facts, trusted, new CertificateRegister(index), asked.now)
}

function isSignedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}
