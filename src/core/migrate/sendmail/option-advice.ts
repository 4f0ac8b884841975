/**
 * The options that become no setting: what to do about them, or why nothing.
 */

import { PASSWORDS_AT_NEXT_HOPS } from '../words.ts'

/** Options by what is said of them. A name that ends in `.*` stands for all that begin so. */
type Advice = readonly (readonly [words: string, options: string])[]

export const TO_DO: ReadonlyMap<string, string> = byOption([
  [
    'Postern reads no revocation lists of other authorities in this version: certificates that this list revokes would count again. Leave their CA out of client-ca, or write SUBJECT after its CERTISSUER: and list the good certificates with CERTSUBJECT:',
    'CRLFile CRLPath',
  ],
  ['Postern always asks clients for a certificate; those that have none are served without', 'TLSSrvOptions'],
  ['Postern does not verify with DANE in this version: tls = "verify" in a [[route]] is the nearest', 'DANE'],
  [PASSWORDS_AT_NEXT_HOPS, 'DefaultAuthInfo AuthRealm'],
  ['How fast connections may come is limits.all.connection-rate, and limits.address.connection-rate for one address', 'ConnectionRateThrottle ConnectionRateWindowSize'],
  ['Postern closes the connection after a number of refused commands (limits.errors), and does not slow clients down', 'BadRcptThrottle MaxNOOPCommands'],
  ['Postern has no second choice for a next hop that fails: mail waits in the queue until the hop is back or queue.lifetime is over', 'FallbackMXhost FallbackSmartHost'],
  ['Postern sends no copy of bounces to anybody: "postern queue list" and the log show what failed', 'PostmasterCopy DoubleBounceAddress'],
  ['Postern asks no milter in this version: mail is no longer seen by this filter. Keep it on the next hop, or keep sendmail in front until then', 'InputMailFilters'],
  ['Postern has no user database and no directory look-ups: the next hop must know the users', 'UserDatabaseSpec LDAPDefaultSpec'],
  ['Postern answers what fails for good with 5xx, always: stop testing with soft bounces before you change over', 'SoftBounce'],
  ['Postern decides by domain and certificate: connecting to one host only is delivery.smarthost', 'ConnectOnlyTo'],
  ['Keys in hardware are not supported: put the key in a file that only its owner can read', 'SSLEngine SSLEnginePath'],
])

export const NOT_NEEDED: ReadonlyMap<string, string> = byOption([
  ['Postern does not deliver to mailboxes or programs', 'AliasWait CheckAliases AliasFile MatchGECOS ForwardPath MaxAliasRecursion MailboxDatabase DefaultUser SaveFromLine UnixFromLine MeToo SafeFileEnvironment DeadLetterDrop DontInitGroups UnsafeGroupWrites'],
  ['Postern changes nothing in a message but its Received field', 'SevenBitInput EightBitMode BlankSub UseErrorsTo ErrorHeader ErrorMode OldStyleHeaders DefaultCharSet SendMimeErrors NoRecipientAction SingleLineFromHeader MustQuoteChars OperatorChars ColonOkInAddr MaxMimeHeaderLength DontExpandCnames RrtImpliesDsn IgnoreDots DontPruneRoutes'],
  [
    'Postern plans the queue itself: see [queue] in docs/reference/settings.md',
    'MinQueueAge MaxQueueAge MaxQueueRunSize QueueSortOrder QueueFactor RecipientFactor ClassFactor RetryFactor ForkEachJob NiceQueueRun MaxQueueChildren MaxRunnersPerQueue FastSplit CheckpointInterval SingleThreadDelivery HoldExpensive DialDelay DeliverByMin HostStatusDirectory ConnectionCacheSize ConnectionCacheTimeout TryNullMXList',
  ],
  ['Postern keeps its files in its own data directory, with safe modes', 'QueueDirectory QueueFileMode TempFileMode HelpFile StatusFile PidFile ControlSocketName DontBlameSendmail TrustedUser DataFileBufferSize XscriptFileBufferSize SharedMemoryKey SharedMemoryKeyFile RequiresDirfsync UseMSP DirectSubmissionModifiers'],
  ['Postern answers 250 only when the message is on disk, and 452 when there is no room', 'SuperSafe MinFreeBlocks'],
  ['Postern does not look at the load of the machine: limits.connections bounds the work', 'QueueLA RefuseLA DelayLA RejectLogInterval'],
  ['Postern has no VRFY, EXPN or ETRN that tell anything, and always wants EHLO or HELO first', 'PrivacyOptions'],
  ['Postern greets with its host name only', 'SmtpGreetingMessage'],
  ['Postern takes whatever word a client calls itself by, unless checks.helo is on', 'AllowBogusHELO'],
  ['Postern logs JSON lines: see docs/operating.md', 'LogLevel ProcessTitlePrefix'],
  ['Postern asks DNS itself: delivery.resolvers names other servers', 'ResolverOptions ServiceSwitchFile HostsFile'],
  ['Postern never takes the addresses of its own interfaces for mail domains', 'DontProbeInterfaces'],
  ['Postern speaks TLS 1.2 and 1.3 only, with the ciphers and key exchanges of its OpenSSL', 'CipherList CipherSuites ClientSSLOptions DHParameters RandFile CertFingerprintAlgorithm AuthMaxBits UseCompressedIPv6Addresses RejectNUL'],
  ['Postern goes on in clear only where delivery.tls is "opportunistic", the default', 'TLSFallbacktoClear'],
  ['only for milters, of which Postern has none', 'Milter.*'],
  ['Postern has time limits of its own: see [limits] and [delivery] in docs/reference/settings.md', 'Timeout.*'],
])

function byOption(advice: Advice): ReadonlyMap<string, string> {
  return new Map(advice.flatMap(([words, options]) => options.split(' ').map(option => [option, words] as const)))
}
