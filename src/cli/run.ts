/**
 * Finds the command that was named, runs it, and prints what came of it.
 *
 * Exit codes: 0, 1 for a problem that is named on standard error, 2 for wrong usage, 77 for what the
 * system does not let the caller do. Commands that stand in for another program have that one's.
 */

import { readFileSync } from 'node:fs'
import { nearest } from '../core/config/nearest.ts'
import { operandProblem, parseArguments } from './arguments.ts'
import { commandNames, loadCommand, loadGroup } from './catalogue.ts'
import { COMMON_OPTIONS, NoPermission, Problem, UsageProblem, type Args, type Command, type OptionSpec, type OptionSpecs } from './command.ts'
import { dataDirectory, problemWith } from './directory.ts'
import { renderCommandHelp, renderGroupHelp } from './help.ts'
import { lookFor, visibleJson, visibleLines } from './output.ts'

/** EX_NOPERM, so that a script can tell it from a relay in trouble. */
const NO_PERMISSION = 77
/** Words in the longest name of a command. */
const DEEPEST = 3

/** The words after `postern`; resolves with the exit code. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  try {
    return await dispatch(moveLeadingOptions(words))
  } catch (error) {
    if (error instanceof UsageProblem) return complain(error.message, 2)
    const problem = isSystemError(error) ? problemWith(error.path ?? error.syscall ?? 'the system', error) : error
    if (problem instanceof Problem) return complain(problem.message, problem instanceof NoPermission ? NO_PERMISSION : 1)
    return complain(`a fault in Postern itself, please report it: ${error instanceof Error ? error.stack : String(error)}`, 1)
  }
}

async function dispatch(words: readonly string[]): Promise<number> {
  const [first = ''] = words
  if (first === '--version' || first === 'version') return print(version())
  if (first === 'help') return dispatch([...words.slice(1), '--help'])
  const isHelp = words.includes('--help') || words.includes('-h')
  if (first === '' || (isHelp && first.startsWith('-'))) return helpForGroup('', isHelp ? 0 : 2)
  if (first.startsWith('-')) throw new UsageProblem(`${first} is no command, and no option that may stand before one; see postern --help`)

  const names = commandNames()
  const spoken = leadingWords(words)
  const name = spoken.find(prefix => names.includes(prefix))
  if (name !== undefined) return runCommand(name, await loadCommand(name), words.slice(name.split(' ').length))

  const group = spoken.find(prefix => names.some(name => name.startsWith(`${prefix} `)))
  if (group !== undefined && group === spoken[0]) return helpForGroup(group, isHelp ? 0 : 2)
  const typed = group === undefined ? first : spoken.findLast(prefix => prefix.length > group.length)
  const similar = spoken.map(prefix => nearest(prefix, names)).find(name => name !== null) ?? null
  const help = group === undefined ? 'postern --help' : `postern ${group} --help`
  throw new UsageProblem(`unknown command "${typed}"; ${similar === null ? `see ${help}` : `did you mean "postern ${similar}"?`}`)
}

async function runCommand(name: string, command: Command, words: readonly string[]): Promise<number> {
  // Only the first word asks for help: the others may be a stranger's, and the message would be lost.
  if (command.runWords !== undefined && words[0] !== '--help') return command.runWords(words, dispatch)
  // A reader that has seen enough (`postern … | head`) is no problem of ours.
  process.stdout.once('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const specs: OptionSpecs = { ...command.options, ...COMMON_OPTIONS }
  const wrong = (problem: string): never => {
    throw new UsageProblem(`${problem} (see postern ${name} --help)`)
  }
  const parsed = parseArguments(words.map(word => (word === '-h' ? '--help' : word)), specs)
  if (!parsed.ok) return wrong(parsed.problem)
  const { values, operands } = parsed.value
  if (values.get('help') === true) return print(renderCommandHelp(name, command, lookFor(process.stdout)))
  const problem = operandProblem(command.operands ?? 'none', operands)
  if (problem !== null) return wrong(problem)

  const json = values.get('json') === true
  const look = lookFor(json ? process.stderr : process.stdout)
  const args = Object.fromEntries(Object.entries(command.options).map(([option, spec]) => [option, values.get(option) ?? emptyValue(spec)]))
  const data = await command.run({
    args: args as Args<OptionSpecs>,
    operands,
    directory: dataDirectory(values.get('dir') as string | undefined),
    json,
    look,
    say: line => (json ? process.stderr : process.stdout).write(`${line}\n`),
  })
  const text = json ? visibleJson(command.toJson === undefined ? data : command.toJson(data)) : command.render(data, look)
  if (text !== undefined && text !== '') print(text)
  return command.exitCode?.(data) ?? 0
}

/** `postern --dir D status` is `postern status --dir D`. */
function moveLeadingOptions(words: readonly string[]): readonly string[] {
  const [first = ''] = words
  if (first === '--json') return [...moveLeadingOptions(words.slice(1)), first]
  const length = first === '--dir' ? 2 : first.startsWith('--dir=') ? 1 : 0
  return length === 0 || words.length <= length ? words : [...moveLeadingOptions(words.slice(length)), ...words.slice(0, length)]
}

/** `ca issue server`, `ca issue`, `ca`: the words before the first option, longest first. */
function leadingWords(words: readonly string[]): readonly string[] {
  const end = words.findIndex(word => word.startsWith('-'))
  const spoken = words.slice(0, end < 0 ? DEEPEST : Math.min(end, DEEPEST))
  return spoken.map((_, index) => spoken.slice(0, spoken.length - index).join(' '))
}

/** On standard error with the exit code of wrong usage, when nobody asked for help. */
async function helpForGroup(group: string, exitCode: 0 | 2): Promise<number> {
  const commands = await loadGroup(group)
  const title = group === '' ? 'Postern: a mail relay where a certificate is the login.\n\nNew here? postern up' : `postern ${group}`
  const stream = exitCode === 0 ? process.stdout : process.stderr
  const summaries = commands.map(([name, { summary }]) => [name, summary] as const)
  stream.write(`${renderGroupHelp(title, summaries, lookFor(stream))}\n`)
  return exitCode
}

function emptyValue(spec: OptionSpec): unknown {
  if (spec.type === 'flag') return false
  return spec.type === 'list' ? [] : undefined
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return `postern ${(JSON.parse(text) as { readonly version: string }).version}`
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

/** Much of what is wrong is a word that was typed, or pasted from somewhere (S27). */
function complain(message: string, exitCode: number): number {
  process.stderr.write(`postern: ${visibleLines(message)}\n`)
  return exitCode
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return 0
}
