/** Runs the cases of tls-policy.json: one call of a TLS rule set each. */

import { parseAccessMap } from '../../src/core/policy/access-map.ts'
import { tokensOf } from '../../src/core/policy/access-value.ts'
import type { PolicyReply, Reason } from '../../src/core/policy/decision.ts'
import { judgeNextHop } from '../../src/core/policy/next-hop-tls.ts'
import { compilePolicy } from '../../src/core/policy/policy.ts'
import { findTlsSessionEntry } from '../../src/core/policy/session-features.ts'
import { checkPeerTls, findPeerEntry } from '../../src/core/policy/tls-requirements.ts'
import type { TlsPeer } from '../../src/core/policy/tls-requirements.ts'
import { compare } from './outcome.ts'
import type { CaseOutcome } from './outcome.ts'
import { featuresNamed } from './sendmail-features.ts'

type TlsCase = {
  readonly name: string
  readonly ruleset: string
  readonly accessDb: boolean
  readonly access: string
  readonly defines: readonly string[]
  readonly arg: string | null
  readonly peer: { readonly name: string; readonly addr: string }
  readonly tls: Readonly<Record<'verify' | 'cipherBits' | 'authSsf' | 'cnSubject' | 'certSubject' | 'certIssuer', string>> & {
    readonly certAltnames?: string | readonly string[]
  }
  /** The rule set's result as sendmail prints it. */
  readonly raw?: string
  readonly expect: { readonly result: string; readonly code?: number; readonly enhanced?: string; readonly value?: string }
}

type Result = { readonly result: string; readonly code?: number; readonly enhanced?: string; readonly value?: string }

export function runTlsCase(input: unknown): CaseOutcome {
  const tlsCase = input as TlsCase
  // Where it finds no entry, srv_features says OK, and the others say nothing in quotes.
  const foundNothing = tlsCase.ruleset.endsWith('_features') && tlsCase.raw === (tlsCase.ruleset === 'srv_features' ? 'OK' : '""')
  const { result, code, enhanced, value }: Result = foundNothing ? { result: 'value', value: '' } : tlsCase.expect
  return compare(tlsCase.name, { result, code, enhanced, value }, run(tlsCase))
}

function run({ ruleset, accessDb, access, defines, arg, peer, tls }: TlsCase): Result {
  const policy = compilePolicy({
    access: parseAccessMap(accessDb ? access : '', 'access').map,
    hostname: 'mx.home.example',
    localDomains: ['mx.home.example', 'localhost'],
    relayDomains: [],
    ownDomains: [],
    trustedMechanisms: [],
    senderBinding: 'off',
    features: featuresNamed(defines),
  })
  const because: Reason[] = []
  const search = { policy, because }
  const host = { name: peer.name, address: peer.addr }
  switch (ruleset) {
    case 'tls_client': {
      const finding = checkPeerTls(search, findPeerEntry(search, 'TLS_Clt', host), peerOf(host, tls))
      return answered(finding.kind === 'refuse' ? finding.reply : null)
    }
    case 'tls_server':
      return answered(judgeNextHop(policy, { kind: 'server', server: peerOf(host, tls) }).refusal)
    case 'tls_rcpt':
      return answered(judgeNextHop(policy, { kind: 'recipient', server: peerOf(host, tls), forwardPath: arg ?? '' }).refusal)
    case 'try_tls':
      return answered(judgeNextHop(policy, { kind: 'startTls', server: host }).refusal)
    case 'srv_features':
      return { result: 'value', value: tokensOf(findPeerEntry(search, 'Srv_Features', host)?.value ?? '').join('') }
    case 'tls_srv_features':
      return { result: 'value', value: findTlsSessionEntry(search, 'TLS_Srv_Features', host)?.value.replaceAll('"', '') ?? '' }
    case 'tls_clt_features':
      return { result: 'value', value: findTlsSessionEntry(search, 'TLS_Clt_Features', host)?.value.replaceAll('"', '') ?? '' }
    default:
      throw new Error(`no rule set is called ${ruleset}`)
  }
}

function answered(refusal: PolicyReply | null): Result {
  return refusal === null ? { result: 'ok' } : { result: 'error', code: refusal.code, enhanced: refusal.enhanced }
}

function peerOf(host: { readonly name: string; readonly address: string }, tls: TlsCase['tls']): TlsPeer {
  const altNames = tls.certAltnames ?? []
  return {
    ...host,
    verify: tls.verify,
    cipherBits: Number(tls.cipherBits),
    securityLayerBits: Number(tls.authSsf),
    cnSubject: tls.cnSubject,
    subject: tls.certSubject,
    issuer: tls.certIssuer,
    dnsNames: typeof altNames === 'string' ? altNames.split(',').filter(name => name !== '') : altNames,
  }
}
