/** postern user passwd */

import type { Config } from '../../../core/config/schema.ts'
import { formatInstant } from '../../../core/time.ts'
import { parsePeer } from '../../../core/peers/peer-list.ts'
import { fail } from '../../../core/result.ts'
import { passwordFile, PasswordDesk } from '../../../process/password-desk.ts'
import type { PasswordAnswer, PasswordRequest } from '../../../relay/admin.ts'
import { defineCommand, Problem, UsageProblem, type Args, type OptionSpecs } from '../../command.ts'
import { readConfig } from '../../directory.ts'
import { giveToOwnerOf } from '../../files.ts'
import { fields, indent, relativeTime, table, type Look } from '../../output.ts'
import { askIfRunning, withAuthority } from '../../running.ts'

const OPTIONS = {
  device: { type: 'text', value: 'DEVICE', describe: 'What the password is for, such as "printer"; each device has one of its own.' },
  network: { type: 'list', value: 'NET', describe: 'A network, such as 192.0.2.0/24, outside of which the password counts for nothing.' },
  stdin: { type: 'flag', describe: 'Read the password from standard input rather than have a strong one made.' },
  list: { type: 'flag', describe: 'List the passwords there are.' },
  remove: { type: 'flag', describe: 'Take the password of the device away, at once.' },
} as const satisfies OptionSpecs

type Done = { readonly did: PasswordRequest['do']; readonly device: string; readonly answer: PasswordAnswer; readonly config: Config }

export default defineCommand({
  summary: 'Give a person or machine a password for one device that cannot present a certificate.',
  details: `The password is shown once and not kept; what is kept is hashed. It belongs to NAME: it may relay as NAME's
certificate may, from the same sender addresses, and it ends when NAME is revoked. Setting one for a device that has one
replaces it. New logins, sessions under way and queued mail know of a change at once.

A password is for programs that cannot do better: a certificate cannot be guessed, forgotten or typed into a wrong page.`,
  operands: 'NAME',
  options: OPTIONS,
  examples: [
    'postern user passwd joe --device phone',
    'postern user passwd copier --device copier --network 192.0.2.0/24',
    'postern user passwd joe --list',
    'postern user passwd joe --device phone --remove',
  ],
  run: async ({ args, operands: [name = ''], directory }): Promise<Done> => {
    const config = readConfig(directory)
    const request = await requestOf(name, args, config)
    return { did: request.do, device: args.device ?? '', answer: await ask(directory, request), config }
  },
  render: ({ did, device, answer, config }, look) => {
    if (did === 'list') return listed(answer, look)
    if (did === 'remove') return `${answer.name} has no password for ${device} any more.`
    return set(answer, device, config, look)
  },
  toJson: ({ did, answer: { name, logins, passwords, made } }) => ({
    name,
    logins,
    ...(did === 'set' && made !== null ? { password: made } : {}),
    passwords: passwords.map(({ device, createdAt, networks }) => ({ device, createdAt: formatInstant(createdAt), networks })),
  }),
})

async function requestOf(name: string, args: Args<typeof OPTIONS>, { passwords }: Config): Promise<PasswordRequest> {
  const { device, network, stdin, list, remove } = args
  if (list && remove) throw new UsageProblem('choose one of --list and --remove')
  if ((list || remove) && (stdin || network.length > 0)) throw new UsageProblem('--stdin and --network are for a new password')
  if (list) return { do: 'list', name }
  if (device === undefined) throw new UsageProblem('say which device the password is for: --device phone')
  if (remove) return { do: 'remove', name, device }
  for (const text of network) {
    const parsed = parsePeer(text)
    if (!parsed.ok) throw new UsageProblem(`--network: ${parsed.problem}`)
  }
  const scram = (['SHA-256', 'SHA-1'] as const).filter(hash => passwords.mechanisms.includes(`SCRAM-${hash}`))
  return { do: 'set', name, device, networks: network, password: stdin ? await readPassword() : null, scram }
}

/** The running Postern tells its workers; where none runs, the authority's lock keeps two commands apart. */
async function ask(directory: string, request: PasswordRequest): Promise<PasswordAnswer> {
  const running = await askIfRunning(directory, { do: 'passwords', request })
  if (running !== null) return running.value
  const result = await withAuthority(directory, async askAuthority => {
    const { holders } = await askAuthority({ do: 'list' }, 'listed')
    return new PasswordDesk(directory).handle(holders, request)
  }).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
  if (!result.ok) throw new Problem(result.problem)
  if (request.do !== 'list') giveToOwnerOf(directory, [passwordFile(directory)])
  return result.value
}

/** One line, as `pass` and password managers print it. */
async function readPassword(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > LONGEST_INPUT) throw new Problem('standard input is longer than a password can be')
  }
  return text.replace(/\r?\n$/, '')
}

const LONGEST_INPUT = 2000

function listed({ name, passwords }: PasswordAnswer, look: Look): string {
  if (passwords.length === 0) return `${name} has no password. Set one: postern user passwd ${name} --device DEVICE`
  const now = Date.now()
  const rows = passwords.map(({ device, createdAt, networks }) => [device, relativeTime(createdAt, now), networks.join(' ') || 'anywhere'])
  return table(['DEVICE', 'SET', 'COUNTS IN'], rows, look)
}

function set({ name, logins, made, passwords }: PasswordAnswer, device: string, config: Config, look: Look): string {
  const networks = passwords.find(password => password.device === device)?.networks ?? []
  const facts = fields(
    [
      ['password', made === null ? 'as given' : `${look.bold(made)}  (shown only now)`],
      ['user name', logins.join(' or ')],
      ['for', `${device} of ${name}${networks.length === 0 ? '' : `, in ${networks.join(', ')}`}`],
    ],
    look,
  )
  return `${facts}\n\n${look.bold('Next')}\n${indent(`Outgoing server: ${waysIn(config)}, authentication "normal password" or SCRAM.`)}`
}

/** Where passwords are taken. */
function waysIn({ hostname, listeners }: Config): string {
  const ways = (['submission', 'submissions', 'mx'] as const)
    .filter(name => listeners[name].enabled && listeners[name].authentication !== 'certificate')
    .map(name => `port ${listeners[name].address.port} with ${name === 'submissions' ? 'TLS' : 'STARTTLS'}`)
  return ways.length === 0 ? `${hostname} (no listener takes passwords: see listeners.*.authentication)` : `${hostname}, ${ways.join(' or ')}`
}
