/**
 * What became of an old configuration, line by line.
 *
 * Every line that did something is in the report once: with what it became, with what to do because
 * Postern has no equal, or with why nothing needs doing. Nothing is left out in silence.
 */

/** A line of one of the old files, by the name that an administrator knows it by. */
export type Place = { readonly file: string; readonly line: number }

/** A line with its own words. `line` 0 stands for what the old program did without being told. */
export type Source = Place & { readonly text: string }

export type Item = Source & {
  readonly outcome: Outcome
  /** `carried`: what it became. Else what to do, or why there is nothing to do. */
  readonly words: string
}

export type Outcome = 'carried' | 'todo' | 'unneeded'

/** All items in words. Lines with the same advice stand together under it, up to `most` of them. */
export function renderItems(items: readonly Item[], most = Infinity): readonly string[] {
  const ofOutcome = (outcome: Outcome) => items.filter(item => item.outcome === outcome)
  return [
    ...section('Yours to do', 'Postern has no equal for these lines, or a different one.', advice(ofOutcome('todo'), most)),
    ...section('Carried over', null, firstOf(ofOutcome('carried').map(carried), most * 4)),
    ...section('Nothing to do', null, advice(ofOutcome('unneeded'), most)),
  ]
}

export function countItems(items: readonly Item[]): { readonly [Name in Outcome]: number } {
  const count = (outcome: Outcome): number => items.filter(item => item.outcome === outcome && item.line > 0).length
  return { carried: count('carried'), todo: count('todo'), unneeded: count('unneeded') }
}

/** `sendmail.mc:12`, or the bare name of what stood in no line. */
export function formatPlace({ file, line }: Place): string {
  return line === 0 ? file : `${file}:${line}`
}

/** A line as it can stand in a report: in one row, without controls, and not too long. */
export function shown(text: string): string {
  const row = shownWhole(text)
  return row.length > LONGEST_SHOWN ? `${row.slice(0, LONGEST_SHOWN - 1)}…` : row
}

const LONGEST_SHOWN = 100

/** The same without a limit. */
export function shownWhole(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')
}

function section(title: string, words: string | null, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return []
  return [title, ...(words === null ? [] : [words]), '', ...lines.map(line => (line === '' ? '' : `  ${line}`)), '']
}

function carried(item: Item): string {
  return item.line === 0 ? `${item.text}  =>  ${item.words}` : `${formatPlace(item)}  ${shown(item.text)}  =>  ${item.words}`
}

function firstOf(lines: readonly string[], most: number): readonly string[] {
  return lines.length > most ? [...lines.slice(0, most), `… and ${lines.length - most} more`] : lines
}

/** Each advice once, and below it the lines it is for. */
function advice(items: readonly Item[], most: number): readonly string[] {
  const byWords = Map.groupBy(items, ({ words }) => words)
  return [...byWords].flatMap(([words, lines], index) => [
    ...(index === 0 ? [] : ['']),
    words,
    ...lines.slice(0, most).map(item => (item.line === 0 ? `  ${item.text}` : `  ${formatPlace(item)}  ${shown(item.text)}`)),
    ...(lines.length > most ? [`  … and ${lines.length - most} more`] : []),
  ])
}
