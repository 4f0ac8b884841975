/** postern explain */

import { readFileSync } from 'node:fs'
import { isIpAddress } from '../../core/config/forms.ts'
import { keyLines } from '../../core/config/key-lines.ts'
import { parseConfig } from '../../core/config/parse.ts'
import type { Config } from '../../core/config/schema.ts'
import type { ClientIdentity } from '../../core/names/identity.ts'
import { adviceFor } from '../../core/policy/advice.ts'
import { formatAccessLine } from '../../core/policy/access-map.ts'
import { addressTerms } from '../../core/policy/client-terms.ts'
import { explainDecision, type LineOf } from '../../core/policy/explain.ts'
import type { Asker, CalloutAnswer, Reason } from '../../core/policy/decision.ts'
import type { Policy } from '../../core/policy/policy.ts'
import { sessionTerms } from '../../core/policy/session-terms.ts'
import { tryOut, type Trial } from '../../core/policy/trial.ts'
import { parsePath } from '../../core/smtp/path.ts'
import { formatInstant } from '../../core/time.ts'
import { createResolver } from '../../io/resolver.ts'
import type { DecisionRecord } from '../../relay/admin.ts'
import { ClientFacts } from '../../relay/client-facts.ts'
import { USUAL_TLS } from '../../relay/holder-identity.ts'
import { policyOf } from '../../relay/policy-holder.ts'
import { readAccessMap, warnIfNotLoaded } from '../access-source.ts'
import { defineCommand, Problem, UsageProblem, type Args, type Call, type OptionSpecs } from '../command.ts'
import { configFile, readConfig } from '../directory.ts'
import { accountByName, identityByCertificate, identityByName } from '../identities.ts'
import { shellQuoted } from '../files.ts'
import { visible } from '../output.ts'
import { askRunning } from '../running.ts'

const DRY_RUN = 'dry-run'

const OPTIONS = {
  cert: { type: 'text', value: 'FILE', describe: 'Who asks: the holder of this certificate.' },
  as: { type: 'text', value: 'NAME', describe: 'Who asks: a person or machine of "postern user list".' },
  password: { type: 'text', value: 'DEVICE', describe: 'With --as: it shows no certificate, and has logged in with its password for this device.' },
  anonymous: { type: 'flag', describe: 'Who asks: somebody without a certificate (the default).' },
  client: { type: 'text', value: 'IP', describe: 'The address it connects from.' },
  from: { type: 'text', value: 'A', describe: 'The sender; "" for the null sender.' },
  to: { type: 'text', value: 'A', describe: 'The recipient.' },
  listener: { type: 'choice', choices: ['mx', 'submission', 'submissions', 'lmtp'], describe: 'Where it connects (default mx).' },
} as const satisfies OptionSpecs

export default defineCommand({
  summary: 'Give the decision on a message and its reasons: of one that was made, or of one that would be.',
  details: `With the ID from a refusal, or from the log, a running Postern tells what it decided and why. With --client, --from
and --to the policy is asked what it would decide, by the same code, from the configuration and access map as they are
on disk now. Nothing is sent.`,
  operands: '[ID]',
  options: OPTIONS,
  examples: [
    'postern explain 0mx06nkn6v39hxch',
    'postern explain --as joe --client 192.0.2.7 --from joe@example.org --to ann@example.net',
    'postern explain --cert joe.pem --client 192.0.2.7 --from joe@example.org --to ann@example.net --listener submission --json',
  ],
  run: async ({ args, operands: [id], directory, say, look }) => {
    if (id !== undefined) {
      const records = [await recorded(directory, id, args)]
      return { configText: configTextIn(directory), terms: [], records }
    }
    return dryRun(directory, args, { say, look })
  },
  render: ({ configText, terms, records }, look) => {
    const last = records.at(-1)
    if (last === undefined) return ''
    const lines = explainDecision(last, settingLines(configText)).map(line => (line.startsWith('=> ') ? (last.decision.verdict === 'accept' ? look.good(line) : look.bad(line)) : line))
    return [...lines, ...(terms.length === 0 ? [] : ['', 'Terms of its connections:', ...terms.map(line => `  ${visible(line)}`)])].join('\n')
  },
  toJson: ({ configText, terms, records }) => {
    const last = records.at(-1)
    const lineOf = settingLines(configText)
    const flat = (reason: Reason) => flatten(reason, lineOf)
    return {
      id: last?.decision.id,
      verdict: last?.decision.verdict,
      relay: last?.decision.relay,
      reply: last?.decision.reply,
      because: distinct(records.flatMap(record => record.decision.because.map(flat))),
      advice: last === undefined ? null : adviceFor(last.question, last.decision),
      terms,
      question: last?.question,
      at: last === undefined ? null : formatInstant(last.at),
    }
  },
})

async function recorded(directory: string, id: string, args: Args<typeof OPTIONS>): Promise<DecisionRecord> {
  const others = [args.cert, args.as, args.password, args.client, args.from, args.to, args.listener].some(value => value !== undefined)
  if (others || args.anonymous) throw new UsageProblem('give an ID, or the options of a dry run, not both')
  const record = await askRunning(directory, { do: 'explain', id })
  if (record === null) throw new Problem(`no decision ${visible(id)} is remembered; the newest are kept, and older ones are in the log. If it is the ID of a message: postern trace ${shellQuoted(visible(id))}`)
  return record
}

type DryRun = { readonly configText: string; readonly terms: readonly string[]; readonly records: readonly DecisionRecord[] }

async function dryRun(directory: string, args: Args<typeof OPTIONS>, told: Pick<Call<OptionSpecs>, 'say' | 'look'>): Promise<DryRun> {
  const { client, from, to, listener = 'mx' } = args
  if (client === undefined || from === undefined || to === undefined) throw new UsageProblem('give an ID, or --client, --from and --to (see postern explain --help)')
  for (const [option, address] of [['--from', from], ['--to', to]] as const) {
    const problem = addressProblem(bare(address), option)
    if (problem !== null) throw new UsageProblem(`${option} "${visible(address)}": ${problem}`)
  }
  if (!isIpAddress(client)) throw new UsageProblem(`--client ${visible(client)}: write an IP address, such as 192.0.2.7`)
  const config = readConfig(directory)
  const now = Date.now()
  const asker: Asker = {
    listener,
    host: { address: client, name: null },
    hello: '',
    ...(await proofsFrom(directory, config, { ...args, client }, now)),
  }
  const source = { ...readAccessMap(directory, config), accessFile: config.relay.accessFile }
  warnIfNotLoaded(config, source, told)
  const policy = policyOf(config, source)
  const sources = { resolver: createResolver({ servers: config.delivery.resolvers }), ourNames: [config.hostname], callOut: askNobody }
  const facts = new ClientFacts(() => sources, { address: client, name: null })
  const records = await decide(policy, facts, { asker, reversePath: bare(from), forwardPath: bare(to) }, now)
  return { configText: configTextIn(directory), terms: await termsFor(policy, facts), records }
}

async function proofsFrom(directory: string, config: Config, args: Args<typeof OPTIONS> & { readonly client: string }, now: number): Promise<Pick<Asker, 'identity' | 'authentication'>> {
  if (args.password === undefined) return { identity: await identityFrom(directory, config, args, now), authentication: null }
  if (args.as === undefined || args.cert !== undefined || args.anonymous) throw new UsageProblem('--password is for the device of a person or machine: say --as NAME too, and nothing else of who asks')
  const { client } = args
  const account = await accountByName(directory, { name: args.as, device: args.password, client })
  const { name } = account.holder
  const authentication = { mechanism: 'PLAIN', authenticationId: name, authorizationId: name, securityLayerBits: 0, account }
  return { identity: { kind: 'anonymous', tls: USUAL_TLS }, authentication }
}

async function identityFrom(directory: string, config: Config, args: Args<typeof OPTIONS>, now: number): Promise<ClientIdentity> {
  const ways = [args.cert !== undefined, args.as !== undefined, args.anonymous].filter(Boolean).length
  if (ways > 1) throw new UsageProblem('choose one of --cert, --as and --anonymous')
  if (args.cert !== undefined) return identityByCertificate(directory, config, { file: args.cert, listener: args.listener ?? 'mx', now })
  if (args.as !== undefined) return identityByName(directory, args.as, now)
  return { kind: 'anonymous', tls: USUAL_TLS }
}

/** As it is now, to find settings in: where it cannot be read, or is broken since, nothing is lost but their lines. */
function configTextIn(directory: string): string {
  const file = configFile(directory)
  try {
    const text = readFileSync(file, 'utf8')
    return parseConfig(text, file).ok ? text : ''
  } catch {
    return ''
  }
}

function settingLines(configText: string): LineOf {
  const lineOf = keyLines(configText)
  return name => lineOf(name.split('.'))
}

/** DNS is asked only where the decision hangs on it, as the server does. */
async function decide(policy: Policy, facts: ClientFacts, trial: Trial, now: number): Promise<readonly DecisionRecord[]> {
  for (;;) {
    const answer = tryOut(policy, { ...trial, asker: { ...trial.asker, host: facts.host } }, facts.known, DRY_RUN)
    if (answer.kind === 'decided') return answer.steps.map(step => ({ at: now, ...step }))
    await facts.find(answer.missing)
  }
}

/** What is tried out bothers no other server. */
async function askNobody(): Promise<CalloutAnswer> {
  return { says: 'notAsked', detail: 'the next hop would be asked whether it has the recipient (nobody is in a dry run)' }
}

/** The lines that say how this client is served, and how often it may come. */
async function termsFor(policy: Policy, facts: ClientFacts): Promise<readonly string[]> {
  const first = sessionTerms(policy, facts.host)
  if (first.kind === 'missing') await facts.find(first.missing)
  const answer = sessionTerms(policy, facts.host)
  const { connections, connectionRate } = addressTerms(policy, facts.host.address)
  return [
    ...(answer.kind === 'terms' ? answer.terms.entries.map(formatAccessLine) : []),
    ...[connections, connectionRate].flatMap(limit => (limit === null ? [] : [formatAccessLine(limit.entry)])),
  ]
}

/** Two questions of a session look up the same; once is enough for a reader. */
function distinct(reasons: readonly object[]): readonly object[] {
  return [...new Map(reasons.map(reason => [JSON.stringify(reason), reason])).values()]
}

/** One level deep, with `file` and `line` where the reason has them. */
function flatten(reason: Reason, lineOf: LineOf): object {
  switch (reason.kind) {
    case 'lookedUp':
      return { kind: reason.kind, key: reason.key, value: reason.entry?.value ?? null, file: reason.entry?.file ?? null, line: reason.entry?.line ?? null }
    case 'setting':
      return { ...reason, file: 'postern.toml', line: lineOf(reason.name) }
    case 'fact':
    case 'rule':
    case 'warning':
      return { ...reason, file: null, line: null }
  }
}

/** What the server would not even read, the policy is never asked about. */
function addressProblem(address: string, option: '--from' | '--to'): string | null {
  const path = parsePath(`<${address}>`)
  if (!path.ok) return `no address (${path.problem.detail}), and told 501; write it as joe@example.org`
  return option === '--to' && path.value.address === '' ? 'a recipient has an address, such as joe@example.org' : null
}

/** An address as people write it, in angle brackets or not. */
function bare(address: string): string {
  return address.replace(/^<(.*)>$/, '$1')
}
