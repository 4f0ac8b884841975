/**
 * Every command that a page, an explanation or a message proposes is one that the program takes.
 *
 * A name alone, as in "see `postern explain`", speaks of a command. Whatever has more words than that
 * is one to be typed, and is put to the program's own reading of arguments. Names in capitals and
 * parts that are filled in later stand for a word each.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operandProblem, parseArguments } from '../src/cli/arguments.ts'
import { commandNames, loadCommand } from '../src/cli/catalogue.ts'
import { COMMON_OPTIONS } from '../src/cli/command.ts'
import { sourceFiles } from './source-files.ts'

const names = commandNames()
const pages = sourceFiles(/^(?:docs\/.*|[A-Z]+)\.md$/)
const sources = sourceFiles(/^src\/.*(?<!\.test)\.ts$/)
const decisions = sourceFiles(/^test\/(?:decisions|migrate)\/.*\.txt$/)

for (const [what, files, proposedIn] of [
  ['pages', pages, inPage],
  ['messages and explanations of the source', sources, inSource],
  ['explanations, filled in', decisions, quoted],
] as const) {
  test(`commands in ${what}`, async () => {
    const proposed = files.flatMap(({ name, text }) => proposedIn(text).map(command => ({ file: name, command })))
    assert.ok(proposed.length > 10, `only ${proposed.length} commands were found`)
    const refused: string[] = []
    for (const { file, command } of proposed) {
      const problem = await problemOf(command)
      if (problem !== null) refused.push(`${file}: postern ${command}: ${problem}`)
    }
    assert.deepEqual([...new Set(refused)], [])
  })
}

/** What stands in quotes, and what stands in blocks to be typed. */
function inPage(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^ *```\w*\n(.*?)^ *```/gms)].flatMap(([, block = '']) => block.split('\n'))
  const typed = blocks.flatMap(line => /^\s*(?:\$ )?(?:bin\/)?postern (.*)$/.exec(line)?.[1] ?? [])
  return [...typed, ...quoted(text.replaceAll(/^ *```.*?^ *```/gms, ''))]
}

/** Parts that are filled in are words; an escaped quote is one. */
function inSource(text: string): readonly string[] {
  return quoted(text.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, 'X').replaceAll('\\`', '`'))
}

function quoted(text: string): readonly string[] {
  return [...text.matchAll(QUOTED)].map(matched => matched.slice(1).find(command => command !== undefined) ?? '')
}

/** In either kind of quotes; or behind a colon, up to the end of the text. */
const QUOTED = /`postern ([^`\n]+)`|"postern ([^"\n]+)"|: postern ([^`'"\n;()]+)/g

/** Null if it can be typed so, or only speaks of a command or a group of them. */
async function problemOf(command: string): Promise<string | null> {
  const words = wordsOf(command)
  if (words.length === 0 || words[0]?.startsWith('-') === true || isPlaceholder(words.join(' '))) return null
  const spoken = words.map((_, index) => words.slice(0, words.length - index).join(' '))
  const name = spoken.find(prefix => names.includes(prefix))
  if (name === undefined) return names.some(other => other.startsWith(`${words.join(' ')} `)) ? null : 'there is no such command'
  const rest = words.slice(name.split(' ').length)
  if (rest.length === 0) return null
  const form = await loadCommand(name)
  if (form.runWords !== undefined) return null
  const parsed = parseArguments(rest, { ...form.options, ...COMMON_OPTIONS })
  return parsed.ok ? operandProblem(form.operands ?? 'none', parsed.value.operands) : parsed.problem
}

/** As a shell takes a line apart, up to what it does with the output. */
function wordsOf(line: string): readonly string[] {
  const command = line.split(/\s(?:[|>#;&]|\d>)/)[0] ?? ''
  return [...command.matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word.replaceAll(/^['"]|['"]$/g, ''))
}

/** "postern X", "postern COMMAND …": any of them. */
function isPlaceholder(words: string): boolean {
  return /^(?:X|COMMAND)\b|^…/.test(words)
}
