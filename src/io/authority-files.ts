/**
 * The certificates and keys in the folder `ca/`: writing a new authority down, reading one back.
 *
 *     ca.pem         the root: what clients trust
 *     root.key       signs nothing but issuing.pem. Nothing here reads it after `init`, so it may be
 *                    taken to a safe place; it is needed again to replace the issuing CA
 *     issuing.pem    the issuing CA, signed by the root
 *     issuing.key    signs everybody else
 *     index.jsonl    issued and revoked certificates, see records.ts
 *     audit.jsonl    who did what, and when
 *     lock           held by the one process that has the authority open
 *     incomplete     says "yes" while `init` runs: what stands beside it counts for nothing
 *
 * Keys are PKCS#8 in PEM, mode 0400, sealed if there is a passphrase.
 */

import { X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { constants, existsSync, readFileSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import path from 'node:path'
import { parseCertificate } from '../core/names/certificate.ts'
import type { PeerCertificate } from '../core/names/identity.ts'
import { planIssuing, planRoot } from '../core/pki/certificate-plan.ts'
import type { CertificatePlan, KeyType } from '../core/pki/certificate-plan.ts'
import { formatRecord } from '../core/pki/records.ts'
import type { IssuedRecord } from '../core/pki/records.ts'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { readKeyFile } from './key-files.ts'
import { openKeyPem, sealedKeyPem } from './sealing.ts'
import { writeNewFile } from './whole-file.ts'
import { factsOfCertificate, generateKeys, keyTypeOf, newSerial, pemOfCertificate, signCertificate } from './x509.ts'
import type { KeyPair } from './x509.ts'

export type AuthorityLocation = {
  /** `ca/` itself. */
  readonly folder: string
  /** Null for keys that are not sealed. */
  readonly passphrase: string | null
  readonly now: () => number
  readonly randomBytes: (size: number) => Uint8Array
}

export type StoredCertificate = {
  readonly pem: string
  readonly der: Uint8Array
  readonly facts: PeerCertificate
  readonly publicKey: KeyObject
  readonly organisation: string
  readonly commonName: string
}

/** An authority that can sign. */
export type StoredAuthority = {
  readonly root: StoredCertificate
  readonly issuing: StoredCertificate
  readonly privateKey: KeyObject
  readonly keyType: KeyType
}

export const FILE = {
  root: 'ca.pem',
  rootKey: 'root.key',
  issuing: 'issuing.pem',
  issuingKey: 'issuing.key',
  index: 'index.jsonl',
  audit: 'audit.jsonl',
} as const

const INCOMPLETE = 'incomplete'
/** What the marker says in the end: of the same length, so that the change is one write to one block. */
const MAKING = 'yes'
const WHOLE = 'no '

/** Removes what an interrupted `init` left. Returns what is in the way of a new authority, or null. */
export async function clearInterrupted(folder: string): Promise<string | null> {
  const [first] = Object.values(FILE).filter(name => existsSync(path.join(folder, name)))
  if (first !== undefined && !isIncomplete(folder)) return `${path.join(folder, first)}: there is an authority here already; nothing was changed`
  // The marker stays: whatever a crash leaves of these files counts for nothing.
  for (const name of Object.values(FILE)) await rm(path.join(folder, name), { force: true })
  return null
}

export function isIncomplete(folder: string): boolean {
  const marker = path.join(folder, INCOMPLETE)
  return existsSync(marker) && readFileSync(marker, 'utf8') !== WHOLE
}

/** Makes keys and certificates of a new authority and writes everything down. */
export async function writeAuthority(
  location: AuthorityLocation,
  wanted: { readonly organisation: string; readonly names: { readonly root: string; readonly issuing: string }; readonly keyType: KeyType },
): Promise<void> {
  const { folder, randomBytes } = location
  const { organisation, names, keyType } = wanted
  const now = location.now()
  const write = (name: string, content: string, mode: number): Promise<void> => writeNewFile(path.join(folder, name), content, mode)

  if (!isIncomplete(folder)) {
    await rm(path.join(folder, INCOMPLETE), { force: true })
    await write(INCOMPLETE, MAKING, 0o600) // From here on, a crash leaves files that count for nothing.
  }
  const rootKeys = await generateKeys(keyType)
  const rootPlan = planRoot(organisation, names.root, { now, serial: newSerial(randomBytes) })
  const root = signCertificate(rootPlan, rootKeys, null)
  const issuingKeys = await generateKeys(keyType)
  const issuingPlan = planIssuing(organisation, names.issuing, { now, serial: newSerial(randomBytes) })
  const issuing = signCertificate(issuingPlan, issuingKeys, { certificateDer: root, privateKey: rootKeys.privateKey })

  await write(FILE.root, pemOfCertificate(root), 0o444)
  await write(FILE.rootKey, keyPem(rootKeys, location), 0o400)
  await write(FILE.issuing, pemOfCertificate(issuing), 0o444)
  await write(FILE.issuingKey, keyPem(issuingKeys, location), 0o400)
  const records = [firstRecord('root', names.root, root, rootPlan, now), firstRecord('issuing', names.issuing, issuing, issuingPlan, now)]
  await write(FILE.index, records.map(formatRecord).join(''), 0o600)
  await write(FILE.audit, `${JSON.stringify({ at: now, by: 'init', act: 'create', name: names.issuing, detail: names.root })}\n`, 0o600)
  await declareWhole(path.join(folder, INCOMPLETE)) // From here on the authority exists.
}

/** Reads an authority that has been written whole; or says which file is wrong, and what to do. */
export function readAuthority({ folder, passphrase }: AuthorityLocation): Result<StoredAuthority, string> {
  const file = (name: string): string => path.join(folder, name)
  const root = readCertificate(file(FILE.root))
  if (!root.ok) return root
  const issuing = readCertificate(file(FILE.issuing))
  if (!issuing.ok) return issuing
  const sealed = readKeyFile(file(FILE.issuingKey))
  if (!sealed.ok) return sealed
  const opened = openKeyPem(sealed.value, passphrase)
  if (!opened.ok) return fail(`${file(FILE.issuingKey)}: ${opened.problem}`)
  const privateKey = opened.value

  const certificate = new X509Certificate(issuing.value.der)
  if (!certificate.verify(root.value.publicKey)) {
    return fail(`${file(FILE.issuing)}: was not signed by ${file(FILE.root)}; restore both from one backup`)
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    return fail(`${file(FILE.issuingKey)}: is not the key of ${file(FILE.issuing)}; restore both from one backup`)
  }
  const keyType = keyTypeOf(privateKey)
  if (keyType === null) return fail(`${file(FILE.issuingKey)}: is neither a P-256 nor a 2048-bit RSA key, so Postern cannot sign with it`)
  return ok({ root: root.value, issuing: issuing.value, privateKey, keyType })
}

/**
 * The marker is changed and then removed: the change is durable when it returns, the removal is not,
 * and a marker that a crash brings back must not declare a working authority void.
 */
async function declareWhole(marker: string): Promise<void> {
  const handle = await open(marker, constants.O_WRONLY | constants.O_SYNC | constants.O_NOFOLLOW)
  try {
    await handle.write(WHOLE, 0)
  } finally {
    await handle.close()
  }
  await rm(marker)
}

function readCertificate(file: string): Result<StoredCertificate, string> {
  try {
    const pem = readFileSync(file, 'utf8')
    const { raw: der, publicKey } = new X509Certificate(pem)
    const parsed = parseCertificate(der)
    if (!parsed.ok) return fail(`${file}: is no certificate: ${parsed.problem}; restore it from a backup`)
    const attribute = (type: string): string => new TextDecoder().decode(parsed.value.subject.find(found => found.type === type)?.value)
    const names = { organisation: attribute(ORGANISATION), commonName: attribute(COMMON_NAME) }
    return ok({ pem, der, facts: factsOfCertificate(der).certificate, publicKey, ...names })
  } catch (error) {
    return fail(`${file}: cannot be read as a certificate: ${(error as Error).message}; restore it from a backup`)
  }
}

function keyPem({ privateKey }: KeyPair, { passphrase, randomBytes }: AuthorityLocation): string {
  if (passphrase === null) return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return sealedKeyPem(privateKey.export({ type: 'pkcs8', format: 'der' }), passphrase, randomBytes)
}

/** The authority's own certificates are in its index too: their serial numbers are taken. */
function firstRecord(purpose: 'root' | 'issuing', name: string, der: Uint8Array, plan: CertificatePlan, at: number): IssuedRecord {
  const { serial, fingerprint, subject } = factsOfCertificate(der).certificate
  const { notBefore, notAfter } = plan
  const certificate = Buffer.from(der).toString('base64')
  return { record: 'issued', at, serial, fingerprint, subject, purpose, name, addresses: [], senders: [], notBefore, notAfter, certificate }
}

const ORGANISATION = '2.5.4.10'
const COMMON_NAME = '2.5.4.3'
