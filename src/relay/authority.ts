/**
 * The authority: issues and revokes certificates, and says which of them count.
 *
 * One request at a time, so that what was checked is still true when it is acted on. An act is first
 * written to the audit log, then done, then written to the index; only then is it answered. So no
 * certificate leaves here that the index does not have, and nothing happens that the audit log does
 * not name.
 *
 * A name belongs to one person or machine for as long as one of its certificates is live. Issuing to
 * it again with the same addresses adds a certificate, for a second device or because the first will
 * expire; with other addresses it is refused, because it would give one person's name to another, or
 * widen what the certificates already out there may send.
 */

import { planClient, planServer } from '../core/pki/certificate-plan.ts'
import { addressProblem, holderNameProblem, senderProblem } from '../core/pki/holder.ts'
import { fail, ok, unreachable } from '../core/result.ts'
import type { CertificatePlan, Issuer, KeyType, Occasion } from '../core/pki/certificate-plan.ts'
import type { ClientCertificate, IndexRecord, IssuedCertificates } from '../core/pki/records.ts'
import type { Result } from '../core/result.ts'
import type { AuthorityAnswer, AuthorityFacts, AuthorityRequest, CertificateIndex, HolderRecord, IssuedClient } from './admin.ts'

/** What the authority needs of the world. */
export type AuthorityPort = {
  /** Milliseconds since 1970. */
  now(): number
  /** 16 random bytes that make a positive number. */
  newSerial(): Uint8Array
  /** Makes a key and has the issuing CA sign its certificate. */
  make(plan: CertificatePlan, keyType: KeyType): Promise<MadeCertificate>
  /** Puts a certificate, its key and the CAs into a PKCS#12 file under a new password. */
  pack(made: MadeCertificate, kind: 'compatible' | 'modern', name: string): { readonly p12Base64: string; readonly password: string }
  /** Adds to the index. Resolves well when the record is on stable storage; with a problem, it is not there. */
  append(record: IndexRecord): Promise<Result<null, string>>
  /** Adds to the audit log, with the same promise. */
  audit(entry: AuditEntry): Promise<Result<null, string>>
  close(): Promise<void>
}

export type MadeCertificate = {
  /** The certificate and the issuing CA's. */
  readonly chainPem: string
  readonly keyPem: string
  readonly certificateBase64: string
  readonly serial: string
  readonly fingerprint: string
  readonly subject: string
}

/** One line of the audit log. */
export type AuditEntry = {
  readonly at: number
  /** Who asked. */
  readonly by: string
  readonly act: 'create' | 'issueServer' | 'issueClient' | 'revoke' | 'remove' | 'repair'
  /** The holder or the server, and details in words. */
  readonly name: string
  readonly detail: string
}

export type AuthorityResult = { readonly ok: true; readonly answer: AuthorityAnswer } | { readonly ok: false; readonly problem: string }

type ClientRequest = Extract<AuthorityRequest, { do: 'issueClient' }>
type ServerRequest = Extract<AuthorityRequest, { do: 'issueServer' }>

/** What never changes while an authority is open. */
export type AuthorityCertificates = {
  readonly facts: Omit<AuthorityFacts, 'issued' | 'revoked'>
  readonly issuer: Issuer
}

export class Authority {
  readonly #certificates: AuthorityCertificates
  readonly #issued: IssuedCertificates
  readonly #port: AuthorityPort
  #queue: Promise<unknown> = Promise.resolve()

  constructor(certificates: AuthorityCertificates, issued: IssuedCertificates, port: AuthorityPort) {
    this.#certificates = certificates
    this.#issued = issued
    this.#port = port
  }

  /** Does what is asked, after all that was asked before. `by` says who asks, for the audit log. Rejects never. */
  handle(request: AuthorityRequest, by = 'control socket'): Promise<AuthorityResult> {
    const answer = this.#queue.then(() => this.#answer(request, by)).catch(broken)
    this.#queue = answer
    return answer
  }

  /** Ends after what was asked so far is done. */
  async close(): Promise<void> {
    await this.#queue
    await this.#port.close()
  }

  async #answer(request: AuthorityRequest, by: string): Promise<AuthorityResult> {
    const result = await this.#act(request, by)
    return result.ok ? { ok: true, answer: result.value } : result
  }

  async #act(request: AuthorityRequest, by: string): Promise<Result<AuthorityAnswer, string>> {
    switch (request.do) {
      case 'show':
        return ok({ kind: 'shown', authority: this.#show() })
      case 'list':
        return ok({ kind: 'listed', holders: this.#list() })
      case 'index':
        return ok({ kind: 'index', index: this.#index() })
      case 'issueServer':
        return this.#issueServer(request, by)
      case 'issueClient':
        return this.#issueClient(request, by)
      case 'revoke':
      case 'remove':
        return this.#revoke(request.do, request.name, by)
      default:
        return unreachable(request)
    }
  }

  #show(): AuthorityFacts {
    const all = this.#issued.all()
    return { ...this.#certificates.facts, issued: all.length, revoked: all.filter(({ revokedAt }) => revokedAt !== null).length }
  }

  #list(): readonly HolderRecord[] {
    const byName = Map.groupBy(this.#issued.clients().filter(({ isListed }) => isListed), ({ name }) => name.toLowerCase())
    return [...byName.values()].map(holderRecord).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Expired certificates are among the live ones, so that their holders are told that, and nothing worse. */
  #index(): CertificateIndex {
    const live: CertificateIndex['live'][number][] = []
    const revoked: CertificateIndex['revoked'][number][] = []
    for (const { fingerprint, name, purpose, senders, revokedAt } of this.#issued.clients()) {
      if (revokedAt === null) live.push({ fingerprint, name, kind: purpose, senders })
      else revoked.push({ fingerprint, name, revokedAt })
    }
    return { live, revoked }
  }

  async #issueServer(request: ServerRequest, by: string): Promise<Result<AuthorityAnswer, string>> {
    const plan = planServer(request.names, request.keyType, this.#certificates.issuer, this.#occasion(request.days))
    if (!plan.ok) return plan
    const [name = ''] = request.names
    const record = { purpose: 'server', name, addresses: [], senders: [] } as const
    const entry = { by, act: 'issueServer', name, detail: request.names.join(' ') } as const
    const { notAfter } = plan.value
    const issued = await this.#issue(plan.value, request.keyType, record, entry, ({ chainPem, keyPem }) => ({ certificatePem: chainPem, keyPem, notAfter }))
    return issued.ok ? ok({ kind: 'issuedServer', ...issued.value }) : issued
  }

  async #issueClient(request: ClientRequest, by: string): Promise<Result<AuthorityAnswer, string>> {
    const { name, kind, dnsNames, format } = request
    const rights = this.#rights(request)
    if (!rights.ok) return rights
    const { addresses, senders } = rights.value
    const plan = planClient({ name, addresses, dnsNames }, this.#certificates.issuer, this.#occasion(request.days))
    if (!plan.ok) return plan
    const record = { purpose: kind, name, addresses, senders } as const
    const entry = { by, act: 'issueClient', name, detail: [kind, ...senders, ...dnsNames].join(' ') } as const
    const issued = await this.#issue(plan.value, request.keyType, record, entry, made => this.#present(made, plan.value.notAfter, name, format))
    return issued.ok ? ok({ kind: 'issuedClient', issued: issued.value }) : issued
  }

  #present(made: MadeCertificate, notAfter: number, name: string, format: ClientRequest['format']): IssuedClient {
    const { fingerprint, chainPem, keyPem } = made
    if (format === 'pem') return { format, certificatePem: chainPem, keyPem, fingerprint, notAfter }
    const packed = this.#port.pack(made, format === 'p12' ? 'compatible' : 'modern', name)
    return { format: 'p12', ...packed, fingerprint, notAfter }
  }

  /** Audit, make, register: in this order, see above. `present` makes what is handed out, before anything counts. */
  async #issue<Presented>(
    plan: CertificatePlan,
    keyType: KeyType,
    record: Pick<ClientCertificate, 'name' | 'addresses' | 'senders'> & { readonly purpose: 'server' | 'person' | 'machine' },
    entry: Omit<AuditEntry, 'at'>,
    present: (made: MadeCertificate) => Presented,
  ): Promise<Result<Presented, string>> {
    const at = this.#port.now()
    const audited = await this.#port.audit({ at, ...entry })
    if (!audited.ok) return audited
    const made = await this.#port.make(plan, keyType)
    const presented = present(made)
    const { serial, fingerprint, subject, certificateBase64 } = made
    const { notBefore, notAfter } = plan
    const added = await this.#add({ record: 'issued', at, serial, fingerprint, subject, ...record, notBefore, notAfter, certificate: certificateBase64 })
    return added.ok ? ok(presented) : added
  }

  async #revoke(act: 'revoke' | 'remove', name: string, by: string): Promise<Result<AuthorityAnswer, string>> {
    const listed = this.#issued.listedAs(name)
    const [first] = listed
    if (first === undefined) return fail(holderNameProblem(name) ?? `nobody is called ${name}; "postern user list" shows who is`)
    const at = this.#port.now()
    const live = listed.filter(({ revokedAt }) => revokedAt === null)
    const audited = await this.#port.audit({ at, by, act, name: first.name, detail: live.map(({ serial }) => serial).join(' ') })
    if (!audited.ok) return audited
    // One line for the whole act: a crash does all of it or nothing.
    const fingerprints = live.map(({ fingerprint }) => fingerprint)
    if (act === 'revoke' && live.length === 0) return ok({ kind: 'revoked', fingerprints })
    const done = await this.#add(act === 'remove' ? { record: 'removed', at, name: first.name } : { record: 'revoked', at, fingerprints })
    return done.ok ? ok({ kind: 'revoked', fingerprints }) : done
  }

  /** First on disk, then in memory. */
  async #add(record: IndexRecord): Promise<Result<null, string>> {
    const appended = await this.#port.append(record)
    if (!appended.ok) return appended
    const problem = this.#issued.add(record)
    return problem === null ? ok(null) : fail(`the index holds a record that does not fit: ${problem}`)
  }

  /** What the new certificate may send as: as asked, or as the name's other certificates may. */
  #rights(request: ClientRequest): Result<{ readonly addresses: readonly string[]; readonly senders: readonly string[] }, string> {
    const { name, kind, addresses } = request
    const problem = holderNameProblem(name) ?? addresses.map(addressProblem).find(isProblem) ?? request.senders.map(senderProblem).find(isProblem)
    if (problem !== null && problem !== undefined) return fail(problem)
    const senders = [...new Set([...addresses, ...request.senders])]
    const listed = this.#issued.listedAs(name)
    const current = listed.findLast(({ revokedAt }) => revokedAt === null) ?? null
    const asked = senders.length === 0 ? (current ?? listed.at(-1) ?? { addresses, senders }) : { addresses, senders }
    if (kind === 'person' && asked.senders.length === 0) {
      return fail(`${name} has no address: a person may send only as its own addresses, so give at least one (--email ${name}@example.org)`)
    }
    if (current === null) return ok(asked)
    if (current.name !== name) return fail(`${name} and ${current.name} differ in case only, which access maps ignore; use another name`)
    if (current.purpose === kind && isSameSet(asked.senders, current.senders)) return ok(asked)
    return fail(
      `${name} is already a ${current.purpose} that may send as ${shownSenders(current.senders)}; one more certificate for the same: "postern user add ${name}"; ` +
        `to change what it may, first revoke the old ones: "postern user revoke ${name}"`,
    )
  }

  #occasion(days: number): Occasion {
    let serial = this.#port.newSerial()
    while (this.#issued.hasSerial(hex(serial))) serial = this.#port.newSerial()
    return { now: this.#port.now(), serial, days }
  }
}

function holderRecord(certificates: readonly ClientCertificate[]): HolderRecord {
  const newest = certificates.findLast(({ revokedAt }) => revokedAt === null) ?? certificates.at(-1)
  return {
    name: newest?.name ?? '',
    kind: newest?.purpose ?? 'person',
    senders: newest?.senders ?? [],
    certificates: certificates.map(({ serial, fingerprint, subject, at: issuedAt, notBefore, notAfter, revokedAt, certificate }) => ({
      serial,
      fingerprint,
      subject,
      issuedAt,
      notBefore,
      notAfter,
      revokedAt,
      certificate,
    })),
  }
}

/** What went wrong in a way nobody foresaw: the act may be in the audit log, and is not done. */
function broken(error: unknown): AuthorityResult {
  return { ok: false, problem: `the authority could not do this: ${error instanceof Error ? error.message : String(error)}` }
}

function isProblem(problem: string | null): boolean {
  return problem !== null
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every(member => b.includes(member))
}

function shownSenders(senders: readonly string[]): string {
  return senders.length === 0 ? 'anybody' : senders.join(', ')
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('').replace(/^0+(?=.)/, '')
}
