/**
 * The form of a command.
 *
 * A command is a file; its path under commands/ is its name: commands/queue/list.ts is
 * `postern queue list`. `run` finds out or does something and returns data; `render` makes it
 * readable; `--json`, `--dir`, `--help` and the manual page come for free. A command that cannot go
 * on throws a `Problem`, whose words say what, where and what to do.
 */

import type { Look } from './output.ts'

/** Something is wrong that the words name. Exit code 1. */
export class Problem extends Error {}

/** The system does not let whoever typed the command do this. Exit code 77, EX_NOPERM of sysexits.h. */
export class NoPermission extends Problem {}

/** The command was not used as it can be. Exit code 2. */
export class UsageProblem extends Error {}

export type OptionSpec =
  | { readonly type: 'flag'; readonly describe: string }
  | { readonly type: 'text'; readonly value: string; readonly describe: string }
  | { readonly type: 'list'; readonly value: string; readonly describe: string }
  | { readonly type: 'number'; readonly value: string; readonly describe: string }
  | { readonly type: 'choice'; readonly choices: readonly string[]; readonly describe: string }

export type OptionSpecs = { readonly [name: string]: OptionSpec }

/** What each option came to. `list` options may be repeated; the others hold undefined when not given. */
export type Args<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends { type: 'flag' }
    ? boolean
    : Specs[Name] extends { type: 'list' }
      ? readonly string[]
      : Specs[Name] extends { type: 'number' }
        ? number | undefined
        : Specs[Name] extends { type: 'choice'; choices: readonly (infer Choice)[] }
          ? Choice | undefined
          : string | undefined
}

export type Call<Specs extends OptionSpecs> = {
  readonly args: Args<Specs>
  /** The words after the command's name that are not options. */
  readonly operands: readonly string[]
  /** The data directory, absolute. */
  readonly directory: string
  readonly json: boolean
  readonly look: Look
  /** Writes a line of progress at once: standard output, or standard error with `--json`. */
  readonly say: (line: string) => void
}

/** What stands after the command's name: `FILE` once, `FILE…` at least once, `[FILE]` at most once. */
export type OperandForm = 'none' | `${string}…` | `[${string}]` | Uppercase<string>

export type Command<Specs extends OptionSpecs = OptionSpecs, Data = unknown> = {
  /** One line that completes "postern X: ". */
  readonly summary: string
  /** Further paragraphs for `--help`. */
  readonly details?: string
  readonly operands?: OperandForm
  readonly options: Specs
  readonly examples: readonly string[]
  run(call: Call<Specs>): Promise<Data> | Data
  render(data: Data, look: Look): string
  /** What `--json` prints, where that is not the data itself. */
  toJson?(data: Data): unknown
  /** 1 for data that is itself bad news. */
  exitCode?(data: Data): 0 | 1
  /**
   * For a command that stands in for another program: it reads its own words, of which only `--help` is
   * ours, and chooses the exit code. `dispatch` runs another command.
   */
  runWords?(words: readonly string[], dispatch: (words: readonly string[]) => Promise<number>): Promise<number>
}

export function defineCommand<const Specs extends OptionSpecs, Data>(command: Command<Specs, Data>): Command<Specs, Data> {
  return command
}

/** Options that every command has. */
export const COMMON_OPTIONS = {
  dir: { type: 'text', value: 'D', describe: 'The data directory (default ./postern-data; /var/lib/postern when run as root).' },
  json: { type: 'flag', describe: 'Print the answer as JSON.' },
  help: { type: 'flag', describe: 'Say what this command does.' },
} as const satisfies OptionSpecs
