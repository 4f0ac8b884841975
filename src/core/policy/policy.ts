/**
 * The policy of a site, made ready for deciding.
 *
 * `PolicySource` is everything an administrator says about who may relay; `compilePolicy` turns it
 * into sets and flags once, so that a decision costs look-ups only. The features carry the names of
 * sendmail's FEATUREs: with sendmail's settings the policy gives sendmail's answers, and
 * `posternFeatures` says where Postern's own defaults are stricter.
 */

import type { AccessMap } from './access-map.ts'
import { foldCase } from './access-map.ts'
import { canonicalDomain } from '../names/address.ts'
import type { RecipientList } from './recipient-list.ts'
import { isOff, NO_CHECKS } from './site-checks.ts'
import type { SiteChecks } from './site-checks.ts'
import { surveyAccess } from './access-survey.ts'
import type { AccessSurvey } from './access-survey.ts'
import type { ListenerName } from './decision.ts'
import type { LoginRule } from './login.ts'
import type { EtrnGrant } from '../smtp/etrn.ts'

export type PolicySource = {
  readonly access: AccessMap
  /** Our own name. It is a local domain only if it is listed there too. */
  readonly hostname: string
  /** Class w: domains of this very host. Addresses of its interfaces are never among them. */
  readonly localDomains: readonly string[]
  /** Class R: domains we take mail for, hosts below them included, and networks such as `10.2`. */
  readonly relayDomains: readonly string[]
  /** Class m: our own domains, for relayEntireDomain. */
  readonly ownDomains: readonly string[]
  /** AUTH mechanisms whose success is a permission to relay (TRUST_AUTH_MECH). */
  readonly trustedMechanisms: readonly string[]
  /** May a holder use sender addresses that are not its own? `warn` lets it and says so. */
  readonly senderBinding: 'enforce' | 'warn' | 'off'
  /** The same for From and Sender in the header. Left out: off. */
  readonly headerFromBinding?: 'enforce' | 'warn' | 'off'
  /** How clients prove who they are, by listener. Absent: in any way. */
  readonly logins?: { readonly [Name in ListenerName]: LoginRule }
  readonly features: PolicyFeatures
  /** Who may wake which waiting mail; absent: nobody. */
  readonly etrn?: readonly EtrnGrant[]
  /** What is asked of strangers at `mx`; absent: nothing. */
  readonly checks?: SiteChecks
  /** The recipients that exist; absent or null: nobody knows. */
  readonly recipients?: RecipientList | null
}

export type PolicyFeatures = {
  /** The keys that sendmail does not know count: CERTFP:, CERTSAN:, USER:, patterns and networks. */
  readonly posternKeys: boolean
  /** Take senders whose domain does not resolve. Off costs a DNS look-up for each sender. */
  readonly acceptUnresolvableDomains: boolean
  /** Take senders without a domain from anywhere. */
  readonly acceptUnqualifiedSenders: boolean
  /** Take recipients without a domain as local users. Off: postmaster only (RFC 5321 §4.5.1). */
  readonly acceptUnqualifiedRecipients: boolean
  /** `To:` entries can refuse recipients. */
  readonly blocklistRecipients: boolean
  /** Judge client and sender at RCPT, after the recipient, and not at all for who may relay. */
  readonly delayChecks: 'off' | 'on' | 'friend' | 'hater'
  /** `To:` entries may say FRIEND and HATER as well as `Spam:` entries (delay_checks without `n`). */
  readonly friendsByTo: boolean
  /** SKIP ends a search; else it is a text like any other, and refuses. */
  readonly skip: boolean
  /** It does so for entries of one address or user as well, where it is a text to sendmail. */
  readonly skipUsers: boolean
  readonly lookupDotDomain: boolean
  readonly relayToFullAddress: boolean
  readonly relayHostsOnly: boolean
  readonly relayEntireDomain: boolean
  readonly relayLocalFrom: boolean
  readonly relayMailFrom: 'off' | 'address' | 'domain'
  readonly relayBasedOnMx: boolean
  readonly promiscuousRelay: boolean
  readonly looseRelayCheck: boolean
  readonly requireReverseName: boolean
  /** What `%` and `!` in a local part are: routing to be followed, to be refused, or nothing special. */
  readonly percentHack: RoutingCharacter
  readonly uucpPaths: RoutingCharacter
  /** 127.0.0.1 and ::1 may relay. */
  readonly loopbackMayRelay: boolean
  /** A host may relay if its name, confirmed by DNS, is a local domain or within a relay domain. */
  readonly namedHostsMayRelay: boolean
  /** Whoever may open our LMTP socket may relay: programs of this very host. */
  readonly lmtpMayRelay: boolean
  /** A key over 256 bytes is cut there, and so finds an entry that is a beginning of it. */
  readonly cutLongKeys: boolean
  /** Failed TLS requirements are permanent unless an entry says TEMP (TLS_PERM_ERR). */
  readonly tlsFailuresArePermanent: boolean
  /** FEATURE(check_cert_altnames). */
  readonly checkCertificateAltNames: boolean
  /** _CERT_REGEX_ISSUER_: where it matches, its first group stands for the issuer in the look-up. */
  readonly issuerPattern: RegExp | null
  readonly subjectPattern: RegExp | null
  /** confREJECT_MSG, confRELAY_MSG, confRCPTREJ_MSG: `551 Go away`. */
  readonly rejectMessage: string | null
  readonly relayMessage: string | null
  readonly recipientRejectMessage: string | null
}

export type RoutingCharacter = 'follow' | 'refuse' | 'ordinary'

/**
 * Postern's defaults. They differ from sendmail's where sendmail relays without being told to:
 * for loopback, for hosts whose DNS name is in our domains, for local users, and for a key that was
 * cut (S7). SKIP works without being asked for, since without it it would refuse mail.
 */
export const posternFeatures: PolicyFeatures = {
  posternKeys: true,
  acceptUnresolvableDomains: true,
  acceptUnqualifiedSenders: false,
  acceptUnqualifiedRecipients: false,
  blocklistRecipients: true,
  delayChecks: 'off',
  friendsByTo: false,
  skip: true,
  skipUsers: true,
  lookupDotDomain: false,
  relayToFullAddress: false,
  relayHostsOnly: false,
  relayEntireDomain: false,
  relayLocalFrom: false,
  relayMailFrom: 'off',
  relayBasedOnMx: false,
  promiscuousRelay: false,
  looseRelayCheck: false,
  requireReverseName: false,
  percentHack: 'follow',
  uucpPaths: 'follow',
  loopbackMayRelay: false,
  namedHostsMayRelay: false,
  lmtpMayRelay: false,
  cutLongKeys: false,
  tlsFailuresArePermanent: false,
  checkCertificateAltNames: false,
  issuerPattern: null,
  subjectPattern: null,
  rejectMessage: null,
  relayMessage: null,
  recipientRejectMessage: null,
}

/** What sendmail does when its configuration says nothing. */
export const sendmailFeatures: PolicyFeatures = {
  ...posternFeatures,
  posternKeys: false,
  acceptUnresolvableDomains: false,
  acceptUnqualifiedRecipients: true,
  blocklistRecipients: false,
  friendsByTo: true,
  skip: false,
  skipUsers: false,
  loopbackMayRelay: true,
  namedHostsMayRelay: true,
  cutLongKeys: true,
}

/**
 * What changes if the access map is to be read as sendmail reads it: the lines mean what they mean to
 * sendmail. Nobody relays because of it whom no line lets.
 */
export const sendmailReading = {
  posternKeys: sendmailFeatures.posternKeys,
  cutLongKeys: sendmailFeatures.cutLongKeys,
  friendsByTo: sendmailFeatures.friendsByTo,
  skipUsers: sendmailFeatures.skipUsers,
} satisfies Partial<PolicyFeatures>

export type Policy = {
  readonly access: AccessMap
  readonly survey: AccessSurvey
  readonly hostname: string
  readonly localDomains: ReadonlySet<string>
  readonly relayDomains: ReadonlySet<string>
  readonly relayNetworks: ReadonlySet<string>
  readonly ownDomains: ReadonlySet<string>
  readonly trustedMechanisms: ReadonlySet<string>
  readonly senderBinding: PolicySource['senderBinding']
  readonly headerFromBinding: PolicySource['senderBinding']
  readonly logins: { readonly [Name in ListenerName]: LoginRule }
  readonly features: PolicyFeatures
  readonly etrn: readonly EtrnGrant[]
  readonly checks: SiteChecks
  readonly recipients: RecipientList | null
}

/** What was found out of `before`'s access map holds for the same map still. */
export function compilePolicy(source: PolicySource, before: Pick<Policy, 'access' | 'survey'> | null = null): Policy {
  const isNetwork = (member: string): boolean => NETWORK.test(member)
  return {
    access: source.access,
    survey: before?.access === source.access ? before.survey : surveyAccess(source.access),
    hostname: canonicalDomain(source.hostname),
    localDomains: new Set(source.localDomains.map(canonicalDomain)),
    relayDomains: new Set(source.relayDomains.filter(member => !isNetwork(member)).map(canonicalDomain)),
    relayNetworks: new Set(source.relayDomains.filter(isNetwork).map(foldCase)),
    ownDomains: new Set(source.ownDomains.map(canonicalDomain)),
    trustedMechanisms: new Set(source.trustedMechanisms.map(mechanism => mechanism.toUpperCase())),
    senderBinding: source.senderBinding,
    headerFromBinding: source.headerFromBinding ?? 'off',
    logins: source.logins ?? { mx: 'any', submission: 'any', submissions: 'any', lmtp: 'any' },
    features: source.features,
    etrn: source.etrn ?? [],
    checks: source.checks === undefined || isOff(source.checks) ? NO_CHECKS : source.checks,
    recipients: source.recipients ?? null,
  }
}

/** `10`, `10.2`, `192.0.2.7`, `IPv6:2001:db8`: an address or a beginning of one. */
const NETWORK = /^(?:\d{1,3}(?:\.\d{1,3}){0,3}|IPv6(?::[0-9a-f]{1,4}){1,8})$/i
