/**
 * ETRN (RFC 1985): a server that is not always there asks for the mail that waits for its domains.
 *
 * Who may ask is said in postern.toml, by the names of people and machines: anybody could ask otherwise, and
 * learn how much waits for whom.
 */

import type { ClientIdentity } from '../names/identity.ts'

/** A domain to be fetched; with `below`, every domain under it as well (RFC 1985 §5.3). */
export type EtrnNode = { readonly domain: string; readonly below: boolean }

/** `example.org`, or `.example.org` for all that is below it; and the holders who may ask for it. */
export type EtrnGrant = { readonly domain: string; readonly holders: readonly string[] }

export type EtrnArgument =
  | { readonly kind: 'node'; readonly node: EtrnNode }
  /** `#name`: a queue that only another server would know by that name. */
  | { readonly kind: 'queue' }

export function parseEtrn(argument: string): EtrnArgument | null {
  if (/^#[!-~]+$/.test(argument)) return { kind: 'queue' }
  const [, below = '', domain = ''] = /^(@?)([A-Za-z0-9][A-Za-z0-9.-]{0,252})$/.exec(argument) ?? []
  return domain === '' || domain.includes('..') ? null : { kind: 'node', node: { domain: domain.toLowerCase(), below: below !== '' } }
}

export function formatNode({ domain, below }: EtrnNode): string {
  return below ? `@${domain}` : domain
}

/** What a client may ask for. Only who is in our register has a name to compare with. */
export function grantsOf(grants: readonly EtrnGrant[], identity: ClientIdentity): readonly EtrnGrant[] {
  const holder = identity.kind === 'verified' ? (identity.holder?.name ?? null) : null
  return holder === null ? [] : grants.filter(({ holders }) => holders.includes(holder))
}

export function covers(grants: readonly EtrnGrant[], { domain, below }: EtrnNode): boolean {
  const itself = grants.some(grant => grant.domain === domain || (grant.domain.startsWith('.') && domain.endsWith(grant.domain)))
  return itself && (!below || grants.some(grant => grant.domain.startsWith('.') && `.${domain}`.endsWith(grant.domain)))
}
