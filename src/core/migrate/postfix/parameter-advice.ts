/**
 * Postfix's parameters that become no setting: what to do about them, or why nothing.
 */

import { PASSWORDS, PASSWORDS_AT_NEXT_HOPS } from '../words.ts'

type Advice = readonly (readonly [names: RegExp, words: string])[]

const REWRITING = 'Postern rewrites no addresses in this version: senders must write the address that they want to be seen, or a next hop must rewrite it'

export const TO_DO: Advice = [
  [/^smtpd_sasl_|^broken_sasl_|^sasl_|^cyrus_sasl/, PASSWORDS],
  [/^smtp_sasl_|^smtp_sender_dependent_auth/, PASSWORDS_AT_NEXT_HOPS],
  [/milter/, 'Postern asks no milter in this version: mail is no longer seen by this filter. Keep it on the next hop, or keep Postfix in front until then'],
  [/^content_filter$|^smtpd_proxy_|^receive_override_options$/, 'Postern hands mail to no filter in this version: keep it on the next hop, or keep Postfix in front until then'],
  [/(?:header|body)_checks$/, 'Postern does not look into messages: check them on the next hop'],
  [/canonical|masquerade|^smtp_generic_maps$|^append_at_myorigin$|^(?:local|remote)_header_rewrite/, REWRITING],
  [/^virtual_|^alias_maps$|^relocated_maps$|^luser_relay$|^recipient_bcc|^sender_bcc|^always_bcc$/, 'Postern has no aliases and knows no users in this version: the server with the mailboxes must'],
  [/^sender_dependent_|^default_transport$|^relay_transport$|^local_transport$|^mailbox_transport|^fallback_transport|^smtp_fallback_relay$|^fallback_relay$/, 'Postern chooses the next hop by the recipient\'s domain only: [[route]] or delivery.smarthost'],
  [/^postscreen_/, 'DNS lists are named under checks.dns-blocklists, without weights; limits.greet-delay lets strangers wait, and those that talk before the greeting are refused always'],
  [/^smtpd_client_(?:new_tls_session|auth)_rate_limit$|^anvil_status/, 'Rates of one address are in [limits.address], each with a time of its own'],
  [/^smtp_bind_address|^inet_interfaces$/, 'Postern leaves the source address of outgoing connections to the system\'s routes'],
  [/^smtp_tls_dane|^smtp_dns_support_level$|^tls_dane/, 'Postern does not verify with DANE in this version: tls = "verify" in a [[route]] is the nearest'],
  [/^smtpd_tls_crl|^tls_crl/, 'Postern reads no revocation lists of other authorities in this version: leave their CA out of client-ca, or list the good certificates'],
  [/^smtpd_restriction_classes$|^smtpd_authorized_xforward/, 'Postern has no equal: find out who relied on it'],
  [/^smtpd_sender_login_maps$|^smtpd_reject_unlisted/, 'In Postern a certificate has the addresses that it may send from: relay.sender-binding'],
  [/^soft_bounce$/, 'Postern answers what fails for good with 5xx, always: stop testing with soft bounces before you change over'],
  [/^export_environment$|^import_environment$|_command$|^mailbox_command_maps$/, 'Postern starts no programs'],
  [/^notify_classes$|_notice_recipient$|^bounce_template_file$/, 'Postern sends no copies of bounces to anybody: "postern queue list" and the log show what failed'],
  [/^debug_peer_/, 'Postern logs every session alike: "postern trace" tells what happened to a message'],
]

export const UNNEEDED: Advice = [
  [/_directory$|^mail_owner$|^setgid_group$|^sendmail_path$|^newaliases_path$|^mailq_path$|^default_privs$|^mail_name$|^mail_version$|^compatibility_level$|^maillog_|^syslog_/, 'only for Postfix itself'],
  [/^alias_database$|^home_mailbox$|^mailbox_|^mail_spool|^local_|^biff$|^recipient_delimiter$|^forward_path$|^owner_request_special$|^allow_mail_to|^lmtp_|^virtual_|^prepend_delivered/, 'Postern does not deliver to mailboxes or programs'],
  [/^mydomain$/, 'the name of the site; it is in the lines that use it'],
  [/^myorigin$|^append_dot_mydomain$|^swap_bangpath$|^allow_percent_hack$|^strict_rfc821|^smtpd_delay_reject$|^disable_vrfy_command$|^smtpd_helo_required$|^smtpd_banner$|^strict_/, 'Postern is strict about SMTP, and decides at once'],
  [/_code$|^smtpd_.*_message$/, 'Postern answers in its own words, with the id of the decision'],
  [/loglevel$|session_cache|_tls_received_header$|^tls_|_ciphers$|_cipherlist$|_dh\d*|_eecdh|_ecdh|_tls_auth_only$|ccert_verifydepth|scert_verifydepth|_protocols$|_tls_note_starttls|_exclude_ciphers|_tls_mandatory/, 'Postern speaks TLS 1.2 and 1.3 only, with the ciphers and key exchanges of its OpenSSL, and resumes no session of a client'],
  [/_timeout$|_time$|_backoff_time$|_delay$|_lifetime$|^queue_|^qmgr_|^in_flow|process_limit$|_concurrency|_limit$|_rate$/, 'Postern has limits and a queue plan of its own: see [limits], [queue] and [delivery] in docs/reference/settings.md'],
  [/^inet_protocols$|^smtp_address_|^smtp_host_lookup|^ignore_mx|^smtp_skip|^smtp_dns|^disable_dns|^resolve_|^parent_domain_matches/, 'Postern asks DNS itself, for both kinds of addresses'],
]
