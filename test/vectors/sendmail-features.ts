/** The feature names of the vectors (sendmail's FEATUREs and m4 variables) as the policy's own. */

import { sendmailFeatures } from '../../src/core/policy/policy.ts'
import type { PolicyFeatures } from '../../src/core/policy/policy.ts'

export function featuresNamed(names: readonly string[]): PolicyFeatures {
  let features = sendmailFeatures
  for (const name of names.filter(name => !name.startsWith('trust_auth_mech:'))) {
    const change = FEATURES[name]
    if (change === undefined) throw new Error(`no feature is called ${name}`)
    features = { ...features, ...change }
  }
  return features
}

export function trustedMechanismsIn(names: readonly string[]): readonly string[] {
  return names
    .filter(name => name.startsWith('trust_auth_mech:') && name !== 'trust_auth_mech:none')
    .map(name => name.slice('trust_auth_mech:'.length))
}

const FEATURES: Readonly<Record<string, Partial<PolicyFeatures>>> = {
  // Names are looked up or completed by the caller of the policy, never by the policy.
  nocanonify: {},
  'TLSSrvOptions:V': {},
  tls_session_features: {},
  accept_unresolvable_domains: { acceptUnresolvableDomains: true },
  accept_unqualified_senders: { acceptUnqualifiedSenders: true },
  blocklist_recipients: { blocklistRecipients: true },
  delay_checks: { delayChecks: 'on' },
  'delay_checks:friend': { delayChecks: 'friend' },
  'delay_checks:hater': { delayChecks: 'hater' },
  'access_db:skip': { skip: true },
  'access_db:lookupdotdomain': { lookupDotDomain: true },
  lookupdotdomain: { lookupDotDomain: true },
  'access_db:relaytofulladdress': { relayToFullAddress: true },
  relay_hosts_only: { relayHostsOnly: true },
  relay_entire_domain: { relayEntireDomain: true },
  relay_local_from: { relayLocalFrom: true },
  relay_mail_from: { relayMailFrom: 'address' },
  'relay_mail_from:domain': { relayMailFrom: 'domain' },
  relay_based_on_MX: { relayBasedOnMx: true },
  promiscuous_relay: { promiscuousRelay: true },
  loose_relay_check: { looseRelayCheck: true },
  require_rdns: { requireReverseName: true },
  'nopercenthack:reject': { percentHack: 'refuse' },
  'nopercenthack:nospecial': { percentHack: 'ordinary' },
  'nouucp:reject': { uucpPaths: 'refuse' },
  'nouucp:nospecial': { uucpPaths: 'ordinary' },
  TLS_PERM_ERR: { tlsFailuresArePermanent: true },
  check_cert_altnames: { checkCertificateAltNames: true },
  cert_regex_issuer_cn: { issuerPattern: /\/CN=([^/]*)/i },
  confREJECT_MSG: { rejectMessage: '551 Go away' },
  confRELAY_MSG: { relayMessage: '554 No relaying here' },
  confRCPTREJ_MSG: { recipientRejectMessage: '550 No such mailbox' },
}
