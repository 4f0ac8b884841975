/**
 * Questions put to the policy, and its answers.
 *
 * A decision carries everything that was looked at to reach it, found or not, so that an explanation
 * is the decision's own return value and never a second implementation.
 */

import type { Account, ClientIdentity } from '../names/identity.ts'
import type { EtrnNode } from '../smtp/etrn.ts'

export type ListenerName = 'mx' | 'submission' | 'submissions' | 'lmtp'

/** The listeners of people and machines that we know. The others are for everybody's mail to us. */
export function isForSubmission(listener: ListenerName): boolean {
  return listener === 'submission' || listener === 'submissions'
}

/** What is known of the client's address and host name. sendmail's `${client_…}` macros. */
export type ClientHost = {
  /** `192.0.2.7` or `2001:db8::9`, canonical; IPv4-mapped IPv6 already unwrapped. */
  readonly address: string
  /** Verified host name, or null while it has not been looked up. */
  readonly name: ClientName | null
}

/** The answer of the reverse look-up, confirmed forwards. sendmail's `${client_resolve}`. */
export type ClientName =
  | { readonly resolve: 'OK'; readonly name: string }
  /** FAIL: no PTR record. FORGED: the name lacks the address. TEMP: look-up failed for now. */
  | { readonly resolve: 'FAIL' | 'FORGED' | 'TEMP' }

/** A successful AUTH. */
export type Authentication = {
  readonly mechanism: string
  readonly authenticationId: string
  readonly authorizationId: string
  /** Bits of the SASL security layer, 0 without. */
  readonly securityLayerBits: number
  /** Whose password it was. Absent: a certificate's login, or one of a mechanism that knows no accounts of ours. */
  readonly account?: Account
}

/** Who is asking, at the moment of asking. */
export type Asker = {
  readonly listener: ListenerName
  readonly host: ClientHost
  readonly hello: string
  readonly identity: ClientIdentity
  readonly authentication: Authentication | null
}

/** What may be asked. Paths are without angle brackets, as typed; the null reverse-path is ''. */
export type Question =
  /** Before the greeting: sendmail's check_relay. */
  | { readonly kind: 'connection'; readonly asker: Asker }
  /** After the handshake: sendmail's tls_client. */
  | { readonly kind: 'handshake'; readonly asker: Asker }
  /** At MAIL: sendmail's check_mail, and which reverse-paths this identity may use. */
  | { readonly kind: 'sender'; readonly asker: Asker; readonly reversePath: string }
  /** At RCPT: sendmail's check_rcpt. */
  | {
      readonly kind: 'recipient'
      readonly asker: Asker
      readonly reversePath: string
      readonly forwardPath: string
      /** MAIL said REQUIRETLS. Absent: it did not. */
      readonly requiresTls?: boolean
    }
  /** At the end of a message that passes because of who sends it: may this identity write as these authors? */
  | { readonly kind: 'authors'; readonly asker: Asker; readonly reversePath: string; readonly authors: Authors }
  /** At STARTTLS, where a line has settings of TLS for this client that cannot be read. Always refused. */
  | { readonly kind: 'startTls'; readonly asker: Asker }
  /** At XCLIENT, of a client that it is not offered to. Always refused. */
  | { readonly kind: 'xclient'; readonly asker: Asker }
  /** At ETRN (RFC 1985): may this identity have the mail for that domain tried now? */
  | { readonly kind: 'etrn'; readonly asker: Asker; readonly node: EtrnNode }
  /** What the client had proved as this holder counts no more; the asker has what is left. Always refused. */
  | { readonly kind: 'standing'; readonly asker: Asker; readonly holder: string | null }

/** A login that failed. Nobody asks the policy about it: whoever keeps the passwords has answered. */
export type LoginQuestion = { readonly kind: 'login'; readonly asker: Asker; readonly mechanism: string; readonly login: string }

/** Whom a message's header names as responsible for it (RFC 5322 §3.6.2). */
export type Authors = {
  /** The addresses of From and Sender, as far as they could be read. */
  readonly from: readonly string[]
  readonly sender: readonly string[]
  /** Why the header leaves open who wrote the message, or null. */
  readonly fault: string | null
}

export type Verdict = 'accept' | 'refuse' | 'discard' | 'quarantine'

/** One thing the policy looked at. Data; explain.ts is the only place that makes it into words. */
export type Reason =
  /** A key of the access map, with the line that answered or null. */
  | { readonly kind: 'lookedUp'; readonly key: string; readonly entry: AccessEntry | null }
  /** A setting of postern.toml that took part: its dotted name and value. */
  | { readonly kind: 'setting'; readonly name: string; readonly value: string }
  /** A fact about the asker that decided something. */
  | { readonly kind: 'fact'; readonly text: string }
  /** The rule that ended the search; `rule` is a stable identifier for tests and scripts. */
  | { readonly kind: 'rule'; readonly rule: string; readonly text: string }
  /** A rule that would have refused, and is set to warn only. */
  | { readonly kind: 'warning'; readonly rule: string; readonly text: string }

/** A line of the access map. */
export type AccessEntry = {
  readonly key: string
  readonly value: string
  readonly file: string
  readonly line: number
}

/** What the client is told: generic, without our configuration. `lines` has no CR or LF. */
export type PolicyReply = {
  readonly code: number
  /** `5.7.1` */
  readonly enhanced: string
  readonly text: string
}

export type Decision = {
  /** Passed in with the question; the core has no randomness. */
  readonly id: string
  readonly verdict: Verdict
  /** For `refuse` always, else null. */
  readonly reply: PolicyReply | null
  /** For `quarantine`: why the message is held. */
  readonly holdReason: string | null
  /** True if the recipient is accepted because the client may relay, not because it is our domain. */
  readonly relay: boolean
  readonly because: readonly Reason[]
}

/**
 * A fact that the policy lacks. The caller finds it out and asks again with it.
 * This keeps the policy pure, and DNS off the path of clients that need none.
 */
export type Missing =
  | { readonly kind: 'clientName' }
  /** Does the sender's domain exist (MX, A or AAAA)? */
  | { readonly kind: 'domainExists'; readonly domain: string }
  /** What do these lists in DNS say of the client's address? */
  | { readonly kind: 'listings'; readonly zones: readonly string[] }
  /** Is this host among the MX hosts of the domain? */
  | { readonly kind: 'isMxFor'; readonly domain: string }
  /** Does the next hop take mail for this recipient? As it was typed. */
  | { readonly kind: 'callout'; readonly forwardPath: string; readonly requiresTls: boolean }

/** A null MX (RFC 7505) says that a domain takes no mail, so that nobody could answer what comes from it. */
export type DomainFound = 'yes' | 'no' | 'nullMx' | 'unknown'

/** Facts found out so far in this session, by domain. */
export type KnownFacts = {
  readonly domainExists: ReadonlyMap<string, DomainFound>
  readonly isMxFor: ReadonlyMap<string, 'yes' | 'no' | 'unknown'>
  /** Answers of the zones that were asked about the client; absent while none was. */
  readonly listings?: ReadonlyMap<string, readonly string[] | 'unknown'>
  /** What next hops say of recipients; absent while none was asked. */
  readonly callouts?: ReadonlyMap<string, CalloutAnswer>
}

/** What asking the next hop about a recipient came to, and in one line why. */
export type CalloutAnswer = { readonly says: CalloutWord; readonly detail: string }

export type CalloutWord =
  | 'yes'
  /** There is no such recipient. */
  | 'no'
  /** It could not be asked now, or gave no answer that is about the recipient. */
  | 'unknown'
  /** This recipient cannot be asked about at all. */
  | 'cannotAsk'
  /** We ask too much already. */
  | 'busy'
  /** A dry run asks nobody. */
  | 'notAsked'

export type Answer =
  | { readonly kind: 'decided'; readonly decision: Decision }
  | { readonly kind: 'missing'; readonly missing: Missing }
