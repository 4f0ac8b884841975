/**
 * The names of sendmail's m4 variables, and the options that they become.
 */

import { nearest } from '../../config/nearest.ts'

/** `confMAX_MESSAGE_SIZE` to `MaxMessageSize`; null for a variable that is no option. */
export function optionOfVariable(variable: string): string | null {
  const timeout = /^confTO_([A-Z_]+)$/.exec(variable)?.[1]
  if (timeout !== undefined) return `Timeout.${timeout.toLowerCase().replaceAll('_', '.')}`
  return OPTIONS.get(variable) ?? null
}

/** The variable that a misspelt one most likely stands for. */
export function nearestVariable(variable: string): string | null {
  return nearest(variable, OPTIONS.keys())
}

/** Without the `conf` that they begin with. The timeouts follow a rule of their own. */
const PAIRS = `
DONT_BLAME_SENDMAIL=DontBlameSendmail LDAP_DEFAULT_SPEC=LDAPDefaultSpec SEVEN_BIT_INPUT=SevenBitInput EIGHT_BIT_HANDLING=EightBitMode
ALIAS_WAIT=AliasWait MIN_FREE_BLOCKS=MinFreeBlocks MAX_MESSAGE_SIZE=MaxMessageSize BLANK_SUB=BlankSub CON_EXPENSIVE=HoldExpensive
CHECKPOINT_INTERVAL=CheckpointInterval DELIVERY_MODE=DeliveryMode ERROR_MESSAGE=ErrorHeader ERROR_MODE=ErrorMode
SAVE_FROM_LINES=SaveFromLine QUEUE_FILE_MODE=QueueFileMode TEMP_FILE_MODE=TempFileMode MATCH_GECOS=MatchGECOS MAX_HOP=MaxHopCount
IGNORE_DOTS=IgnoreDots BIND_OPTS=ResolverOptions MIME_FORMAT_ERRORS=SendMimeErrors FORWARD_PATH=ForwardPath
MCI_CACHE_SIZE=ConnectionCacheSize MCI_CACHE_TIMEOUT=ConnectionCacheTimeout HOST_STATUS_DIRECTORY=HostStatusDirectory
SINGLE_THREAD_DELIVERY=SingleThreadDelivery USE_ERRORS_TO=UseErrorsTo USE_COMPRESSED_IPV6_ADDRESSES=UseCompressedIPv6Addresses
LOG_LEVEL=LogLevel ME_TOO=MeToo CHECK_ALIASES=CheckAliases OLD_STYLE_HEADERS=OldStyleHeaders
DIRECT_SUBMISSION_MODIFIERS=DirectSubmissionModifiers USE_MSP=UseMSP PRIVACY_FLAGS=PrivacyOptions COPY_ERRORS_TO=PostmasterCopy
QUEUE_FACTOR=QueueFactor MAX_QUEUE_CHILDREN=MaxQueueChildren MAX_RUNNERS_PER_QUEUE=MaxRunnersPerQueue NICE_QUEUE_RUN=NiceQueueRun
QUEUE_SORT_ORDER=QueueSortOrder MIN_QUEUE_AGE=MinQueueAge MAX_QUEUE_AGE=MaxQueueAge MAX_QUEUE_RUN_SIZE=MaxQueueRunSize FAST_SPLIT=FastSplit
SHARED_MEMORY_KEY=SharedMemoryKey SHARED_MEMORY_KEY_FILE=SharedMemoryKeyFile DELIVER_BY_MIN=DeliverByMin DONT_PRUNE_ROUTES=DontPruneRoutes
SAFE_QUEUE=SuperSafe DEF_USER_ID=DefaultUser USERDB_SPEC=UserDatabaseSpec FALLBACK_MX=FallbackMXhost FALLBACK_SMARTHOST=FallbackSmartHost
TRY_NULL_MX_LIST=TryNullMXList QUEUE_LA=QueueLA REFUSE_LA=RefuseLA REJECT_LOG_INTERVAL=RejectLogInterval DELAY_LA=DelayLA
MAX_DAEMON_CHILDREN=MaxDaemonChildren CONNECTION_RATE_THROTTLE=ConnectionRateThrottle CONNECTION_RATE_WINDOW_SIZE=ConnectionRateWindowSize
WORK_RECIPIENT_FACTOR=RecipientFactor SEPARATE_PROC=ForkEachJob WORK_CLASS_FACTOR=ClassFactor WORK_TIME_FACTOR=RetryFactor
DEF_CHAR_SET=DefaultCharSet SERVICE_SWITCH_FILE=ServiceSwitchFile HOSTS_FILE=HostsFile DIAL_DELAY=DialDelay NO_RCPT_ACTION=NoRecipientAction
SAFE_FILE_ENV=SafeFileEnvironment COLON_OK_IN_ADDR=ColonOkInAddr DONT_EXPAND_CNAMES=DontExpandCnames SMTP_LOGIN_MSG=SmtpGreetingMessage
FROM_LINE=UnixFromLine SINGLE_LINE_FROM_HEADER=SingleLineFromHeader ALLOW_BOGUS_HELO=AllowBogusHELO MUST_QUOTE_CHARS=MustQuoteChars
OPERATORS=OperatorChars DONT_INIT_GROUPS=DontInitGroups UNSAFE_GROUP_WRITES=UnsafeGroupWrites DOUBLE_BOUNCE_ADDRESS=DoubleBounceAddress
SOFT_BOUNCE=SoftBounce DEAD_LETTER_DROP=DeadLetterDrop RUN_AS_USER=RunAsUser MAX_RCPTS_PER_MESSAGE=MaxRecipientsPerMessage
BAD_RCPT_THROTTLE=BadRcptThrottle DONT_PROBE_INTERFACES=DontProbeInterfaces RRT_IMPLIES_DSN=RrtImpliesDsn CONNECT_ONLY_TO=ConnectOnlyTo
TRUSTED_USER=TrustedUser CONTROL_SOCKET_NAME=ControlSocketName MAX_MIME_HEADER_LENGTH=MaxMimeHeaderLength
MAX_HEADERS_LENGTH=MaxHeadersLength MAX_ALIAS_RECURSION=MaxAliasRecursion PID_FILE=PidFile PROCESS_TITLE_PREFIX=ProcessTitlePrefix
DF_BUFFER_SIZE=DataFileBufferSize XF_BUFFER_SIZE=XscriptFileBufferSize MAILBOX_DATABASE=MailboxDatabase REQUIRES_DIR_FSYNC=RequiresDirfsync
AUTH_MECHANISMS=AuthMechanisms AUTH_REALM=AuthRealm DEF_AUTH_INFO=DefaultAuthInfo AUTH_OPTIONS=AuthOptions AUTH_MAX_BITS=AuthMaxBits
TLS_SRV_OPTIONS=TLSSrvOptions CIPHER_LIST=CipherList SERVER_SSL_OPTIONS=ServerSSLOptions CLIENT_SSL_OPTIONS=ClientSSLOptions
SSL_ENGINE=SSLEngine SSL_ENGINE_PATH=SSLEnginePath TLS_FALLBACK_TO_CLEAR=TLSFallbacktoClear INPUT_MAIL_FILTERS=InputMailFilters
MILTER_LOG_LEVEL=Milter.LogLevel MILTER_MACROS_CONNECT=Milter.macros.connect MILTER_MACROS_HELO=Milter.macros.helo
MILTER_MACROS_ENVFROM=Milter.macros.envfrom MILTER_MACROS_ENVRCPT=Milter.macros.envrcpt MILTER_MACROS_EOM=Milter.macros.eom
MILTER_MACROS_EOH=Milter.macros.eoh MILTER_MACROS_DATA=Milter.macros.data CACERT_PATH=CACertPath CACERT=CACertFile
SERVER_CERT=ServerCertFile SERVER_KEY=ServerKeyFile CLIENT_CERT=ClientCertFile CLIENT_KEY=ClientKeyFile CRL=CRLFile CRL_PATH=CRLPath
DH_PARAMETERS=DHParameters RAND_FILE=RandFile CERT_FINGERPRINT_ALGORITHM=CertFingerprintAlgorithm DANE=DANE
MAX_NOOP_COMMANDS=MaxNOOPCommands HELO_NAME=HeloName REJECT_NUL=RejectNUL ALIAS_FILE=AliasFile QUEUE_DIR=QueueDirectory
STATUS_FILE=StatusFile HELP_FILE=HelpFile
`

/** These names of old have no `conf` in front. */
const WITHOUT_PREFIX: ReadonlySet<string> = new Set(['ALIAS_FILE', 'QUEUE_DIR', 'STATUS_FILE', 'HELP_FILE'])

const OPTIONS: ReadonlyMap<string, string> = new Map(
  PAIRS.trim()
    .split(/\s+/)
    .map(pair => pair.split('='))
    .map(([variable = '', option = '']) => [WITHOUT_PREFIX.has(variable) ? variable : `conf${variable}`, option]),
)
