/**
 * Making and opening an authority in its folder; what the folder holds is in authority-files.ts.
 *
 * One process has it open at a time. A crash leaves at worst a part of the index's last line, which
 * was promised to nobody: it is dropped at the next start, and the audit log says so.
 */

import { createPrivateKey } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { authorityNames } from '../core/pki/certificate-plan.ts'
import type { KeyType } from '../core/pki/certificate-plan.ts'
import { formatRecord, readIndex } from '../core/pki/records.ts'
import type { IssuedCertificates, ReadIndex, Unfinished } from '../core/pki/records.ts'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { Authority } from '../relay/authority.ts'
import type { AuthorityPort } from '../relay/authority.ts'
import { AppendFile } from './append-file.ts'
import { FILE, clearInterrupted, isIncomplete, readAuthority, writeAuthority } from './authority-files.ts'
import type { AuthorityLocation, StoredAuthority } from './authority-files.ts'
import { lockFile } from './folder-lock.ts'
import type { FolderLock } from './folder-lock.ts'
import { encodePkcs12, oneTimePassword } from './pkcs12.ts'
import { factsOfCertificate, generateKeys, newSerial, pemOfCertificate, signCertificate } from './x509.ts'

export type NewAuthority = AuthorityLocation & {
  /** The site's domain. */
  readonly organisation: string
  /** The relay's own name; the CA may not have the same one. */
  readonly hostname: string
  /** Name of the issuing CA; null for one made from the organisation. */
  readonly caName: string | null
  readonly keyType: KeyType
}

const LOCK = 'lock'

/** Makes a new authority in a folder that is empty or missing, and opens it. */
export async function initAuthority(wanted: NewAuthority): Promise<Result<Authority, string>> {
  const { folder, organisation, keyType } = wanted
  const names = authorityNames(organisation, wanted.hostname, wanted.caName)
  if (!names.ok) return names
  if (!existsSync(folder)) await mkdir(folder, { recursive: true, mode: 0o700 })
  return await holdingLock(folder, async lock => {
    const inTheWay = await clearInterrupted(folder)
    if (inTheWay !== null) return fail(inTheWay)
    await writeAuthority(wanted, { organisation, names: names.value, keyType })
    return await openLocked(wanted, lock)
  })
}

/** Opens the authority of a folder. The problem says what is wrong, where, and what to do. */
export async function openAuthority(location: AuthorityLocation): Promise<Result<Authority, string>> {
  const { folder } = location
  const absence = whyAbsent(folder)
  if (absence !== null) return fail(absence)
  return await holdingLock(folder, async lock => {
    if (isIncomplete(folder)) return fail(`${folder}: making this authority was interrupted, and it has issued nothing; run "postern init" again`)
    return await openLocked(location, lock)
  })
}

/** Gives the lock back unless the work went well: then the authority has it. */
async function holdingLock(folder: string, work: (lock: FolderLock) => Promise<Result<Authority, string>>): Promise<Result<Authority, string>> {
  const file = path.join(folder, LOCK)
  const lock = lockFile(file)
  if (!lock.ok) {
    const { isTaken, detail } = lock.problem
    return fail(isTaken ? `${folder}: another Postern process has this authority open; ask that one, or stop it first` : `${file}: ${detail}; run Postern as the owner of this folder`)
  }
  try {
    const result = await work(lock.value)
    if (!result.ok) lock.value.release()
    return result
  } catch (error) {
    lock.value.release()
    return fail(`${folder}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function whyAbsent(folder: string): string | null {
  try {
    statSync(path.join(folder, FILE.issuing))
    return null
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return `${folder}: there is no authority here; make one with: postern init`
    return code === 'EACCES' ? `${folder}: not readable by this account (uid ${process.geteuid?.() ?? 'unknown'}); run Postern as the owner of this folder` : message
  }
}

async function openLocked(location: AuthorityLocation, lock: FolderLock): Promise<Result<Authority, string>> {
  const stored = readAuthority(location)
  if (!stored.ok) return stored
  const { root, issuing, keyType } = stored.value
  const read = readIndexFile(location.folder, issuing.facts.fingerprint)
  if (!read.ok) return read
  const { issued, soundBytes, unfinished } = read.value

  const auditFile = path.join(location.folder, FILE.audit)
  const audit = await AppendFile.open(auditFile, readFileSync(auditFile).lastIndexOf('\n') + 1)
  const index = await AppendFile.open(path.join(location.folder, FILE.index), soundBytes)
  const port = authorityPort(location, stored.value, { index, audit, lock })
  const problem = unfinished === null ? null : await mendIndex(unfinished, port, issued)
  if (problem !== null) {
    await port.close()
    return fail(problem)
  }
  const facts = {
    rootPem: root.pem,
    issuingPem: issuing.pem,
    rootSubject: root.facts.subject,
    issuingSubject: issuing.facts.subject,
    rootNotAfter: root.facts.notAfter,
    issuingNotAfter: issuing.facts.notAfter,
    keyType,
  }
  const issuer = { organisation: issuing.organisation, commonNames: [root.commonName, issuing.commonName], notAfter: issuing.facts.notAfter }
  return ok(new Authority({ facts, issuer }, issued, port))
}

function readIndexFile(folder: string, issuingFingerprint: string): Result<ReadIndex, string> {
  const file = path.join(folder, FILE.index)
  const read = readIndex(readFileSync(file, 'utf8'), file)
  if (!read.ok || read.value.issued.all().some(({ fingerprint }) => fingerprint === issuingFingerprint)) return read
  return fail(`${file}: does not list ${path.join(folder, FILE.issuing)}, so it is the index of another authority; restore both from one backup`)
}

/** The unfinished end has been cut off by now. What was whole of it is written again. Returns what went wrong. */
async function mendIndex({ text, record }: Unfinished, port: AuthorityPort, issued: IssuedCertificates): Promise<string | null> {
  const detail = record === null ? `dropped a part of a record that a crash had left: ${text.slice(0, 200)}` : 'added the missing end of the last line'
  const audited = await port.audit({ at: port.now(), by: 'start', act: 'repair', name: FILE.index, detail })
  if (!audited.ok) return audited.problem
  if (record === null) return null
  const misfit = issued.add(record)
  if (misfit !== null) return `${FILE.index}: the last line: ${misfit}; restore the file from a backup`
  const kept = await port.append(record)
  return kept.ok ? null : kept.problem
}

type OpenFiles = { readonly index: AppendFile; readonly audit: AppendFile; readonly lock: FolderLock }

function authorityPort(location: AuthorityLocation, stored: StoredAuthority, { index, audit, lock }: OpenFiles): AuthorityPort {
  const { now, randomBytes } = location
  const { root, issuing, privateKey } = stored
  const authorities = [issuing, root].map(({ der, commonName }) => ({ certificate: der, name: commonName }))
  return {
    now,
    newSerial: () => newSerial(randomBytes),
    make: async (plan, keyType) => {
      const keys = await generateKeys(keyType)
      const der = signCertificate(plan, keys, { certificateDer: issuing.der, privateKey })
      const { serial, fingerprint, subject } = factsOfCertificate(der).certificate
      const chainPem = pemOfCertificate(der) + issuing.pem
      const keyPem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      return { chainPem, keyPem, certificateBase64: Buffer.from(der).toString('base64'), serial, fingerprint, subject }
    },
    pack: (made, kind, name) => {
      const password = oneTimePassword(randomBytes)
      const certificate = Buffer.from(made.certificateBase64, 'base64')
      const pkcs8 = createPrivateKey(made.keyPem).export({ type: 'pkcs8', format: 'der' })
      const p12 = encodePkcs12({ kind, privateKey: pkcs8, certificate, authorities, name, password, randomBytes })
      return { p12Base64: Buffer.from(p12).toString('base64'), password }
    },
    append: record => index.append(formatRecord(record)),
    audit: entry => audit.append(`${JSON.stringify(entry)}\n`),
    close: async () => {
      await index.close()
      await audit.close()
      lock.release()
    },
  }
}
