/**
 * `postern sendmail`: from standard input to a relay, in one go.
 *
 * The message is collected before anybody is called: a program may take hours to write it, and no
 * server waits for that. What cannot be handed over is the caller's again, with an exit code that
 * says whether to try once more; nothing is ever kept here.
 */

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isHostname } from '../core/config/forms.ts'
import { formatConfigProblem } from '../core/config/parse.ts'
import { parseSendmailSettings, type SendmailSettings } from '../core/config/sendmail-settings.ts'
import { parseAddressList } from '../core/message/address-list.ts'
import { describeOutcome, describeProblem } from '../core/message/outcome.ts'
import { formatAddress } from '../core/names/address.ts'
import { parseSendmailWords, type SendmailCall } from '../core/sendmail/arguments.ts'
import { EXIT, exitStatusOf } from '../core/sendmail/exit-status.ts'
import { compose, formatAuthor, LocalMessage } from '../core/sendmail/local-message.ts'
import { TextInput } from '../core/sendmail/text-input.ts'
import { parsePath, type Path } from '../core/smtp/path.ts'
import { CollectedText } from '../io/collected-text.ts'
import type { Body, ClientTls } from '../relay/ports.ts'
import { accountName } from './account.ts'
import { reason } from './directory.ts'
import { visible, visibleLines } from './output.ts'
import { connectToRelay, type RelayLink } from './sendmail-relay.ts'
import { holdSession } from './sendmail-session.ts'

/** What ends the command: a sentence for standard error, and a code of sysexits.h. */
class Ending extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const USUAL_SETTINGS = '/etc/postern/sendmail.toml'
const HEADER_LIMIT_BYTES = 1024 * 1024

export async function runSendmail(words: readonly string[], dispatch: (words: readonly string[]) => Promise<number>): Promise<number> {
  try {
    const call = parseSendmailWords(words)
    if (!call.ok) throw new Ending(EXIT.usage, `${call.problem} (see postern sendmail --help)`)
    return await run(call.value, dispatch)
  } catch (error) {
    if (!(error instanceof Ending)) throw error
    process.stderr.write(`sendmail: ${visibleLines(error.message)}\n`)
    return error.status
  } finally {
    // Whoever ended with a dot may leave the pipe open.
    process.stdin.destroy()
  }
}

async function run(call: SendmailCall, dispatch: (words: readonly string[]) => Promise<number>): Promise<number> {
  if (call.mode === 'runQueue') return EXIT.ok
  if (call.mode === 'listQueue') return dispatch(['mailq', ...(call.directory === null ? [] : ['--dir', call.directory])])
  const { settings, tls } = readSettings(call.directory)
  if (call.mode === 'smtp') return converse(await connect(settings, tls))
  const domain = settings.domain ?? hostName()
  const envelope = new EnvelopeReader(domain)
  const reversePath = envelope.senderOf(call)
  const named = call.recipients.flatMap(text => envelope.recipientsIn(text))
  if (named.length === 0 && !call.readsRecipients) throw new Ending(EXIT.usage, 'no recipients are given (see postern sendmail --help)')
  const text = new CollectedText()
  try {
    const header = await collect(text, call.ignoresDots)
    const author = reversePath.address === '' ? envelope.own().address : reversePath.address
    const composed = compose(header, {
      readsRecipients: call.readsRecipients,
      from: formatAuthor(call.fullName, author),
      at: Date.now(),
      id: randomUUID(),
      hostname: domain,
    })
    if (!composed.ok) throw new Ending(EXIT.dataError, composed.problem)
    const recipients = distinct([...named, ...composed.value.recipients.map(address => envelope.path(address))])
    if (recipients.length === 0) throw new Ending(EXIT.usage, 'the message names no recipients')
    return await send(await connect(settings, tls), { call, reversePath, recipients, body: text.body(composed.value.header) })
  } finally {
    text.close()
  }
}

type Credentials = { readonly settings: SendmailSettings; readonly tls: ClientTls }

function readSettings(directory: string | null): Credentials {
  const file = directory === null ? (process.env['POSTERN_SENDMAIL'] ?? USUAL_SETTINGS) : path.join(directory, 'sendmail.toml')
  const parsed = parseSendmailSettings(readText(file, 'it says where mail goes, and as whom (docs/sendmail.md)'), file)
  if (!parsed.ok) throw new Ending(EXIT.configuration, parsed.problem.map(formatConfigProblem).join('\n'))
  const settings = parsed.value
  const inFolder = (name: string): string => path.resolve(path.dirname(file), name)
  return {
    settings,
    tls: {
      serverName: settings.serverName,
      trustedPem: settings.caFile === null ? null : [readText(inFolder(settings.caFile), 'the CA of the relay')],
      certificatePem: readText(inFolder(settings.certificateFile), 'the certificate to show'),
      keyPem: readText(inFolder(settings.keyFile), 'its private key; who may read it may send'),
      options: 0,
      ciphers: null,
    },
  }
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Ending(EXIT.configuration, `cannot read ${file}: ${reason(error)} (${what})`)
  }
}

/** Standard input to its end, or to its dot. Answers with the header section. */
async function collect(text: CollectedText, ignoresDots: boolean): Promise<Buffer> {
  const input = new TextInput(ignoresDots)
  const message = new LocalMessage(HEADER_LIMIT_BYTES)
  for await (const chunk of process.stdin) {
    text.append(message.take(input.take(chunk as Buffer)))
    if (message.isHeaderTooLarge) throw new Ending(EXIT.dataError, `the header of the message is larger than ${HEADER_LIMIT_BYTES} octets`)
    if (input.ended) break
  }
  text.append(message.take(input.finish()))
  text.append(message.finish())
  if (input.loneCrAt !== null && input.loneCrAt < message.header.length) throw new Ending(EXIT.dataError, 'the header of the message holds a CR that no LF follows')
  return message.header
}

async function connect(settings: SendmailSettings, tls: ClientTls): Promise<RelayLink> {
  const link = await connectToRelay(settings, tls, hostName())
  if (link.ok) return link.value
  throw new Ending(EXIT.temporaryFailure, `the message was not sent: ${describeProblem(link.problem)}`)
}

type Submission = { readonly call: SendmailCall; readonly reversePath: Path; readonly recipients: readonly Path[]; readonly body: Body }

async function send({ connection }: RelayLink, { call, reversePath, recipients, body }: Submission): Promise<number> {
  const { notify, returned, envelopeId } = call
  const { outcomes } = await connection.deliver(
    {
      reversePath: reversePath.address,
      recipients: recipients.map(({ address }) => ({ forwardPath: address, notify, originalRecipient: null })),
      bodyType: '8BITMIME',
      tls: null,
      utf8: [reversePath, ...recipients].some(({ isAscii }) => !isAscii),
      sizeBytes: body.sizeBytes,
      returned,
      envelopeId,
      deliverBy: null,
      priority: 0,
    },
    body,
  )
  await connection.quit()
  for (const [index, outcome] of outcomes.entries()) {
    const told = `sent to ${visible(recipients[index]?.address ?? '')}: ${visible(describeOutcome(outcome))}\n`
    if (outcome.kind !== 'delivered') process.stderr.write(`sendmail: not ${told}`)
    else if (call.isVerbose) process.stdout.write(told)
  }
  return exitStatusOf(outcomes)
}

/** -bs: the caller's SMTP goes to the relay, and its replies come back. */
async function converse({ connection, channel }: RelayLink): Promise<number> {
  const { status, problem } = await holdSession(channel, { input: process.stdin, output: process.stdout, hostname: hostName() })
  connection.close()
  if (problem !== null) process.stderr.write(`sendmail: ${problem}\n`)
  return status
}

/** Addresses as they are typed on this host, where a name alone means somebody here. */
class EnvelopeReader {
  readonly #domain: string

  constructor(domain: string) {
    this.#domain = domain
  }

  senderOf(call: SendmailCall): Path {
    const { sender } = call
    if (sender === null) return this.own()
    if (sender === '' || sender === '<>') return { address: '', isAscii: true }
    const paths = this.recipientsIn(sender)
    const [only] = paths
    if (only === undefined || paths.length > 1) throw new Ending(EXIT.usage, `-f ${visible(sender)}: write one address`)
    return only
  }

  recipientsIn(text: string): readonly Path[] {
    const list = parseAddressList(text)
    if (!list.ok) throw new Ending(EXIT.dataError, `"${visible(text)}" ${list.problem}`)
    return list.value.map(address => this.path(formatAddress(address)))
  }

  /** Whoever runs this program. */
  own(): Path {
    return this.path(accountName() ?? `uid-${process.getuid?.() ?? 0}`)
  }

  path(address: string): Path {
    const bare = parsePath(`<${address}>`)
    const whole = bare.ok && !hasDomain(address) ? parsePath(`<${address}@${this.#domain}>`) : bare
    if (!whole.ok) throw new Ending(EXIT.dataError, `the address <${visible(address)}> is not one: ${whole.problem.detail}`)
    return whole.value
  }
}

function hasDomain(address: string): boolean {
  const list = parseAddressList(address)
  return list.ok && list.value[0]?.domain !== null
}

function distinct(paths: readonly Path[]): readonly Path[] {
  return [...new Map(paths.map(path => [path.address, path])).values()]
}

function hostName(): string {
  const name = os.hostname().toLowerCase()
  return isHostname(name) ? name : 'localhost'
}
