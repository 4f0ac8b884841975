/**
 * Everything one process of Postern may say to another, validated on receipt.
 *
 * The supervisor trusts a worker least of all: a worker reads what strangers send. So what comes from
 * one is checked here before anybody acts on it, and a worker has no way to ask for a certificate.
 */

import { z } from 'zod'
import { USAGES } from '../core/limits/usage-table.ts'
import type { UsageChanges } from '../core/limits/usage-table.ts'
import { METRICS } from '../core/metrics/metrics.ts'
import type { MetricName, Sample } from '../core/metrics/metrics.ts'
import type { Accounts } from '../relay/account-register.ts'
import type { AdminRequest, AdminResult, AuthorityRequest, CertificateIndex, KeyType } from '../relay/admin.ts'
import type { Config } from '../core/config/schema.ts'
import type { ListenerName } from '../core/policy/decision.ts'
import type { AuthorityResult } from '../relay/authority.ts'

/** What a worker must know to work. The texts are parsed again by the worker itself. */
export type WorkerSettings = {
  readonly configText: string
  readonly configFile: string
  readonly accessText: string
  readonly accessFile: string
  /** Of `checks.recipients`. */
  readonly recipientsText: string | null
  /** Our chain as a server, leaf first, and its key. */
  readonly serverCertificatePem: string
  readonly serverKeyPem: string
  /** Our certificate as a client, for the smarthost and routes that ask. */
  readonly clientCertificatePem: string | null
  readonly clientKeyPem: string | null
  /** Root and issuing certificate of the site's own CA. */
  readonly ownRootPem: string
  readonly ownIssuingPem: string
  /** Further CAs whose certificates count, by listener. */
  readonly clientAuthoritiesPem: { readonly [Name in ListenerName]: readonly string[] }
  /** PEM texts of the files that the configuration names as trusted CAs of next hops, by file name. */
  readonly trustedPem: { readonly [file: string]: string }
  /** Certificates and keys that TLS_Clt_Features lines of the access map name, by file name. */
  readonly sessionPem: { readonly [file: string]: string }
  /** What the files of `[oauth]` hold; null without that table. */
  readonly tokens: TokenFiles | null
  readonly index: CertificateIndex
  /** Who may log in with a password or a token; null if nobody may. */
  readonly accounts: Accounts | null
}

export type TokenFiles = {
  /** With which we ask the introspection endpoint; '' where none is asked. */
  readonly clientSecret: string
  /** The provider's public keys as a JSON Web Key Set; null where it is asked for them, or about each token. */
  readonly keySetText: string | null
  /** PEM of the CAs that may certify the provider; null for the public ones. */
  readonly trustedPem: readonly string[] | null
}

/** What a worker is started with; never changes in its life. */
export type WorkerStart = {
  /** Folders of the shards it owns, relative to the spool folder; new messages go to the first. */
  readonly shards: readonly string[]
  /** How many workers there are. */
  readonly workers: number
  readonly spoolFolder: string
  /** Whom to become before a byte is read from the network; null to stay. */
  readonly runAs: { readonly uid: number; readonly gid: number } | null
  /** File descriptors of the bound sockets, by listener. */
  readonly listeners: readonly { readonly name: ListenerName; readonly fd: number }[]
  /** Where lmtp was to listen when they were bound. */
  readonly lmtpAddress: LmtpAddress
}

export type LmtpAddress = Config['listeners']['lmtp']['address']

export type ToWorker =
  | { readonly kind: 'start'; readonly start: WorkerStart; readonly settings: WorkerSettings }
  | { readonly kind: 'configure'; readonly requestId: number; readonly settings: WorkerSettings }
  | { readonly kind: 'index'; readonly requestId: number; readonly index: CertificateIndex; readonly accounts: Accounts | null }
  | { readonly kind: 'admin'; readonly requestId: number; readonly request: AdminRequest }
  /** What clients did at another worker; null: it begins anew. */
  | { readonly kind: 'usage'; readonly worker: number; readonly changes: UsageChanges | null }
  /** The answer to `wakeQueue`: how many messages are due now; null if that failed. */
  | { readonly kind: 'queueWoken'; readonly requestId: number; readonly messages: number | null }
  | { readonly kind: 'drain' }

export type FromWorker =
  | { readonly kind: 'ready' }
  /** It cannot start, and starting it again will not help: what, where, what to do. */
  | { readonly kind: 'cannotStart'; readonly problem: string }
  | { readonly kind: 'done'; readonly requestId: number; readonly problem: string | null }
  | { readonly kind: 'answer'; readonly requestId: number; readonly result: AdminResult }
  /** A client asks by ETRN for what waits, wherever it waits (RFC 1985). */
  | { readonly kind: 'wakeQueue'; readonly requestId: number; readonly domain: string; readonly below: boolean }
  /** What clients did here, for the limits that hold over all workers. */
  | { readonly kind: 'usage'; readonly changes: UsageChanges }
  | { readonly kind: 'drained' }

export type ToAuthority =
  | { readonly kind: 'create'; readonly requestId: number; readonly folder: string; readonly passphrase: string | null; readonly plan: AuthorityPlan }
  | { readonly kind: 'open'; readonly requestId: number; readonly folder: string; readonly passphrase: string | null }
  | { readonly kind: 'request'; readonly requestId: number; readonly request: AuthorityRequest }

/** `create` and `open` are answered as `show` is. */
export type FromAuthority = { readonly kind: 'answer'; readonly requestId: number; readonly result: AuthorityResult }

/** What a new CA is to be called, and of what kind its keys are. */
export type AuthorityPlan = {
  /** The relay's own name; the CA may not have the same one. */
  readonly hostname: string
  readonly organisation: string
  /** Name of the issuing CA; null for one made from the organisation. */
  readonly caName?: string | null
  readonly keyType: KeyType
}

/** What may be asked of the authority, by whoever reaches the control socket. */
export function parseAuthorityRequest(value: unknown): AuthorityRequest | null {
  return authorityRequest.safeParse(value).data ?? null
}

/** What may be asked over the control socket. */
export function parseAdminRequest(value: unknown): AdminRequest | null {
  return (adminRequest.safeParse(value).data as AdminRequest | undefined) ?? null
}

export function parseFromWorker(value: unknown): FromWorker | null {
  return (fromWorker.safeParse(value).data as FromWorker | undefined) ?? null
}

/** What a worker has counted; nothing if it cannot be read. */
export function parseSamples(value: unknown): readonly Sample[] {
  return samples.safeParse(value).data ?? []
}

const name = z.string().min(1).max(64)
const text = z.string().max(1024)
const requestId = z.int().nonnegative()
const keyType = z.enum(['p256', 'rsa2048'])
const days = z.int().min(1).max(36_500)

const authorityRequest = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('show') }),
  z.strictObject({ do: z.literal('issueServer'), names: z.array(text).min(1).max(100), keyType, days }),
  z.strictObject({
    do: z.literal('issueClient'),
    name,
    kind: z.enum(['person', 'machine']),
    addresses: z.array(text).max(100),
    dnsNames: z.array(text).max(100),
    senders: z.array(text).max(1000),
    keyType,
    days,
    format: z.enum(['p12', 'p12-modern', 'pem']),
  }),
  z.strictObject({ do: z.literal('list') }),
  z.strictObject({ do: z.literal('revoke'), name }),
  z.strictObject({ do: z.literal('remove'), name }),
  z.strictObject({ do: z.literal('index') }),
])

const queueFilter = z.strictObject({
  id: text.optional(),
  sender: text.optional(),
  recipient: text.optional(),
  state: z.enum(['waiting', 'leased', 'held', 'delivered', 'failed']).optional(),
  acceptedBefore: z.number().optional(),
  error: text.optional(),
})

const device = z.string().min(1).max(64)

const passwordRequest = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('list'), name }),
  z.strictObject({ do: z.literal('remove'), name, device }),
  z.strictObject({
    do: z.literal('set'),
    name,
    device,
    networks: z.array(text).max(100),
    password: text.nullable(),
    scram: z.array(z.enum(['SHA-256', 'SHA-1'])).max(2),
  }),
])

const adminRequest = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('status') }),
  z.strictObject({ do: z.literal('reload') }),
  z.strictObject({ do: z.literal('stop') }),
  z.strictObject({ do: z.literal('queueList'), filter: queueFilter, limit: z.int().min(1).max(1_000_000) }),
  z.strictObject({ do: z.literal('queueShow'), id: text }),
  z.strictObject({ do: z.literal('queueChange'), change: z.enum(['hold', 'release', 'delete', 'retry', 'wake']), filter: queueFilter }),
  z.strictObject({ do: z.literal('explain'), id: text }),
  z.strictObject({ do: z.literal('trace'), of: text }),
  z.strictObject({ do: z.literal('authority'), request: authorityRequest }),
  z.strictObject({ do: z.literal('passwords'), request: passwordRequest }),
])

const samples = z
  .array(
    z.strictObject({
      name: z.enum(Object.keys(METRICS) as [MetricName, ...MetricName[]]),
      labels: z.record(z.string().max(64), z.string().max(200)),
      value: z.number(),
    }),
  )
  .max(10_000)

const usageKey = z.string().min(1).max(300)

const usageChanges = z.strictObject({
  open: z.array(z.tuple([usageKey, z.int().nonnegative()])).max(10_000),
  used: z.array(z.tuple([usageKey, z.enum(USAGES), z.number()])).max(50_000),
})

/** Only the frame: answers are shown to an administrator as they are, and nothing acts on them. */
const fromWorker = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('cannotStart'), problem: z.string() }),
  z.strictObject({ kind: z.literal('done'), requestId, problem: z.string().nullable() }),
  z.strictObject({ kind: z.literal('answer'), requestId, result: z.looseObject({ ok: z.boolean() }) }),
  z.strictObject({ kind: z.literal('usage'), changes: usageChanges }),
  z.strictObject({ kind: z.literal('wakeQueue'), requestId, domain: z.string().min(1).max(255), below: z.boolean() }),
  z.strictObject({ kind: z.literal('drained') }),
])
