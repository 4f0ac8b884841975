/**
 * FEATURE: what each becomes, or what to do in its place.
 *
 * The tables that some of them name are read elsewhere; here it is said what the feature itself comes
 * to.
 */

import type { Draft } from '../draft.ts'
import type { Source } from '../report.ts'
import { shown } from '../report.ts'
import { formatDuration } from '../../time.ts'
import { carryBlocklist, carryCheck } from '../site-checks.ts'
import { statementsOf } from './site.ts'
import type { SendmailSite } from './site.ts'

export function carryFeatures(site: SendmailSite): void {
  for (const feature of statementsOf(site, 'feature')) {
    const { name, args } = feature
    if (ELSEWHERE.has(name)) continue
    const carry = CARRIED.get(name)
    if (carry !== undefined) {
      carry(site.draft, feature, args)
      continue
    }
    const [outcome, words] = FEATURES.get(name) ?? ['todo', `sendmail has no feature ${shown(name)} that is known here: find out what it does`]
    say(site.draft, outcome, feature, words)
    if (name === 'delay_checks' && args[0] !== undefined && args[0] !== '') site.draft.todo(feature, FRIENDS)
  }
}

export function reportAccessFeature(site: SendmailSite): void {
  for (const feature of statementsOf(site, 'feature').filter(({ name }) => name === 'access_db')) {
    const size = site.access.map.size
    if (site.access.text === '' && size === 0) site.draft.todo(feature, 'the access map is not here: copy it into this folder and migrate again, or nobody relays who did')
    else site.draft.carried(feature, `access: ${size} ${size === 1 ? 'entry' : 'entries'} of ${site.access.name}, with the comments`)
    const wanted = feature.args.slice(1)
    if (wanted.includes(LOOK_UP_DOTS)) site.draft.todo(feature, DOT_DOMAIN)
    if (wanted.includes('relaytofulladdress')) site.draft.todo(feature, 'Postern takes To:user@domain RELAY for no permission: write To:domain RELAY, or take the domain into relay.domains and refuse other users with To: lines')
  }
}

/** Either as a FEATURE of its own or as a word of access_db. */
export function looksUpDots(site: SendmailSite): boolean {
  return statementsOf(site, 'feature').some(({ name, args }) => name === LOOK_UP_DOTS || (name === 'access_db' && args.includes(LOOK_UP_DOTS)))
}

const LOOK_UP_DOTS = 'lookupdotdomain'

const FRIENDS = 'Postern knows no friends and haters: a recipient who wants all mail cannot have it from a client that the access map refuses'
const DOT_DOMAIN = 'Postern looks up domains without a leading dot only: "example.org" covers the hosts below it, ".example.org" never matches'

type Outcome = 'todo' | 'unneeded' | 'carried'

function say(draft: Draft, outcome: Outcome, from: Source, words: string): void {
  if (outcome === 'todo') draft.todo(from, words)
  else if (outcome === 'unneeded') draft.unneeded(from, words)
  else draft.carried(from, words)
}

/** They read a table or set a next hop, and say themselves what became of it. */
const ELSEWHERE: ReadonlySet<string> = new Set(['access_db', 'mailertable', 'virtusertable', 'genericstable', 'domaintable', 'authinfo', 'nullclient', 'relay_entire_domain'])

const MASQUERADING = 'Postern rewrites no addresses in this version: senders must write the address that they want to be seen, or a next hop must rewrite it'
const LOCAL_DELIVERY = 'Postern does not deliver to mailboxes or programs'
const DOMAIN_LISTS = 'Postern asks lists of addresses only (checks.dns-blocklists), not of domains'
const BELIEVES = 'Postern does not let anybody relay because of the sender they claim: give a certificate ("postern user add") to those who relied on it, or a Connect: line'

type Carry = (draft: Draft, from: Source, args: readonly string[]) => void

/** Those that have a setting of their own, which their arguments may be needed for. */
const CARRIED: ReadonlyMap<string, Carry> = new Map<string, Carry>([
  ['dnsbl', (draft, from, [zone = '']) => carryBlocklist(draft, from, zone, [])],
  // After the zone, the message and the answer to failures come the results that count, each a name in DNS.
  ['enhdnsbl', (draft, from, [zone = '', , , ...results]) => carryBlocklist(draft, from, zone, results.filter(result => result.trim() !== '').map(result => result.trim().replace(/\.$/, '')))],
  ['require_rdns', (draft, from) => carryCheck(draft, from, 'reverse-name')],
  ['block_bad_helo', (draft, from) => carryCheck(draft, from, 'helo', ': the form of the name is looked at, never whose it is')],
  ['greet_pause', carryGreetPause],
  ['relay_hosts_only', (draft, from) => draft.set(from, 'relay.subdomains', false)],
])

/** Its argument is in milliseconds, for everybody without a line. */
function carryGreetPause(draft: Draft, from: Source, [pause = '']: readonly string[]): void {
  const milliseconds = /^\d+$/.test(pause.trim()) ? Number(pause) : 0
  draft.carried(from, 'GreetPause: lines count as they did')
  if (milliseconds > 0) draft.set(from, 'limits.greet-delay', formatDuration(Math.ceil(milliseconds / 1000)), 'on mx, where no GreetPause: line says otherwise')
}

const FEATURES: ReadonlyMap<string, readonly [Outcome, string]> = new Map([
  ['use_cw_file', ['carried', 'the names in local-host-names below']],
  ['use_ct_file', ['unneeded', 'the sendmail command of Postern sends with a certificate, and trusts no users']],
  ['delay_checks', ['todo', 'Postern judges a client when it connects and a sender at MAIL, also for those who may relay: a Connect: or From: line that refuses now holds for holders of certificates, too']],
  ['blocklist_recipients', ['carried', 'To: lines that refuse recipients: always on']],
  ['blacklist_recipients', ['carried', 'To: lines that refuse recipients: always on']],
  ['accept_unresolvable_domains', ['carried', 'sender domains are not looked up, unless checks.sender-domain says so']],
  ['accept_unqualified_senders', ['todo', 'Postern refuses a sender without a domain: configure the programs that send so']],
  ['relay_local_from', ['todo', BELIEVES]],
  ['relay_mail_from', ['todo', BELIEVES]],
  ['relay_based_on_MX', ['todo', 'Postern takes mail only for domains that are listed: add those whose MX record names this host to relay.domains']],
  ['promiscuous_relay', ['todo', 'This made the host an open relay, and Postern is none: give certificates to those who may send ("postern user add"), or Connect: lines']],
  ['loose_relay_check', ['todo', 'Postern always follows user%host@here and refuses what would be relayed that way']],
  ['nopercenthack', ['todo', 'Postern reads user%host as sendmail does without this feature: mail that it would lead elsewhere is refused']],
  ['nouucp', ['todo', 'Postern reads host!user as sendmail does without this feature: mail that it would lead elsewhere is refused']],
  ['lookupdotdomain', ['todo', DOT_DOMAIN]],
  ['check_cert_altnames', ['todo', 'Postern compares CN: in TLS_ lines with the common name only']],
  ['tls_session_features', ['carried', 'TLS_Srv_Features: and TLS_Clt_Features: lines count as they did, but for certificates of their own in the former']],
  ['tls_failures', ['unneeded', 'an error in sendmail since 8.16']],
  ['sts', ['todo', 'Postern does not read MTA-STS policies in this version: tls = "verify" in a [[route]] is the nearest']],
  ['conncontrol', ['carried', 'ClientConn: lines count as they did; for other addresses limits.connections-per-address does']],
  ['ratecontrol', ['carried', 'ClientRate: lines count as they did; for other addresses limits.address.connection-rate does']],
  ['rhsbl', ['todo', DOMAIN_LISTS]],
  ['mtamark', ['todo', 'Postern does not look for such marks in DNS']],
  ['badmx', ['todo', 'Postern does not look at the MX records of senders']],
  ['use_client_ptr', ['unneeded', 'Postern takes a host name only if DNS leads back from it to the address']],
  ['no_default_msa', ['carried', 'only the listeners that are written']],
  ['msp', ['unneeded', 'the sendmail command of Postern gives mail to the relay at once: docs/sendmail.md']],
  ['redirect', ['unneeded', LOCAL_DELIVERY]],
  ['local_procmail', ['unneeded', LOCAL_DELIVERY]],
  ['local_lmtp', ['unneeded', LOCAL_DELIVERY]],
  ['smrsh', ['unneeded', LOCAL_DELIVERY]],
  ['preserve_local_plus_detail', ['unneeded', LOCAL_DELIVERY]],
  ['preserve_luser_host', ['unneeded', LOCAL_DELIVERY]],
  ['notsticky', ['unneeded', LOCAL_DELIVERY]],
  ['stickyhost', ['unneeded', LOCAL_DELIVERY]],
  ['bestmx_is_local', ['todo', 'Postern does not take a domain for its own because of its MX record: add it to relay.domains, with a [[route]]']],
  ['virtuser_entire_domain', ['todo', 'Postern rewrites no recipients in this version: the server that will do it must cover hosts below these domains, too']],
  ['generics_entire_domain', ['todo', MASQUERADING]],
  ['masquerade_envelope', ['todo', MASQUERADING]],
  ['masquerade_entire_domain', ['todo', MASQUERADING]],
  ['allmasquerade', ['todo', MASQUERADING]],
  ['limited_masquerade', ['todo', MASQUERADING]],
  ['local_no_masquerade', ['todo', MASQUERADING]],
  ['always_add_domain', ['todo', MASQUERADING]],
  ['domainmap', ['todo', MASQUERADING]],
  ['bcc', ['todo', 'Postern sends no copies']],
  ['ldap_routing', ['todo', 'Postern asks no directory in this version: write a [[route]] for each domain']],
  ['compat_check', ['todo', 'Postern decides by one address at a time: Compat: lines do nothing']],
  ['check_other', ['unneeded', 'Postern takes no other commands than those of SMTP']],
  ['drac', ['todo', 'Postern lets nobody relay because they read mail before: give them certificates ("postern user add")']],
  ['queuegroup', ['unneeded', 'Postern plans the queue itself: see [queue] in docs/reference/settings.md']],
  ['nocanonify', ['carried', 'addresses are passed on as they are: always so']],
  ['uucpdomain', ['todo', 'Postern speaks SMTP only']],
  ['bitdomain', ['todo', 'Postern speaks SMTP only']],
  ['vnet', ['unneeded', 'Postern speaks SMTP only']],
  ['prefixmod', ['unneeded', 'Postern builds no prefixes']],
])
