/** Members of Postfix's restriction lists that give no line of the access map. */

import { PASSWORDS } from '../words.ts'

/** What Postern does without being told. */
export const ANYWAY: ReadonlyMap<string, string> = byMember([
  ['mail for other domains is refused from everybody who may not relay: always so', 'reject_unauth_destination defer_unauth_destination reject permit_auth_destination'],
  ['a sender or recipient without a domain is refused: always so', 'reject_non_fqdn_sender reject_non_fqdn_recipient'],
  ['a client that does not wait for its turn is refused: always so', 'reject_unauth_pipelining'],
  ['what nothing refuses is accepted: always so', 'permit'],
])

export const NOT_HERE: ReadonlyMap<string, string> = byMember([
  [PASSWORDS, 'permit_sasl_authenticated'],
  [
    'In Postern a login has the addresses that it may send from: relay.sender-binding',
    'reject_sender_login_mismatch reject_authenticated_sender_login_mismatch reject_known_sender_login_mismatch reject_unauthenticated_sender_login_mismatch',
  ],
  ['Postern asks lists of addresses that it refuses only (checks.dns-blocklists), not of domains and not of friends', 'reject_rhsbl_client reject_rhsbl_helo reject_rhsbl_sender reject_rhsbl_recipient reject_rhsbl_reverse_client permit_dnswl_client permit_rhswl_client'],
  ['Postern asks no policy server in this version', 'check_policy_service'],
  ['The domains of recipients are not looked up: Postern takes mail for listed domains only', 'reject_unknown_recipient_domain'],
  ['reverse-name = true under [checks] asks for more: the name of the address must also lead back to it', 'reject_unknown_reverse_client_hostname'],
  ['The name after HELO is not looked up, which RFC 5321 §4.1.4 forbids to refuse for: helo = true under [checks] looks at its form', 'reject_unknown_hostname reject_unknown_helo_hostname check_helo_access'],
  ['Postern asks no server whether a sender exists', 'reject_unverified_sender reject_unlisted_sender'],
  ['List the recipients that exist in a file, and name it as checks.recipients; or recipient-callout = true under [checks] asks the next hop', 'reject_unlisted_recipient'],
  ['Postern takes mail only for domains that are listed: add those whose MX record names this host to relay.domains', 'permit_mx_backup'],
  ['Postern knows hosts by their certificates and addresses: write Connect: or CERTFP: lines', 'check_ccert_access check_client_a_access check_client_mx_access check_client_ns_access check_reverse_client_hostname_access'],
  ['Postern does not look at the servers of a domain', 'check_sender_mx_access check_sender_ns_access check_sender_a_access check_recipient_mx_access check_recipient_ns_access check_recipient_a_access check_helo_mx_access check_helo_ns_access check_helo_a_access'],
  ['Postern refuses at once or accepts, and does not slow clients down or only warn', 'sleep warn_if_reject defer defer_if_permit defer_if_reject'],
  ['Postern has one client address for all: a Connect: line', 'permit_inet_interfaces'],
  ['Postern takes DATA with one recipient or many', 'reject_multi_recipient_bounce'],
])

function byMember(advice: readonly (readonly [words: string, members: string])[]): ReadonlyMap<string, string> {
  return new Map(advice.flatMap(([words, members]) => members.split(' ').map(member => [member, words] as const)))
}
