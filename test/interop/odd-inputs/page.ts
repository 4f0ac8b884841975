/** docs/internals/differences.md: the differences, sorted by their reasons. */

import { EXPLANATIONS } from './explained.ts'
import { INPUTS, type Input } from './inputs.ts'
import { SERVERS } from './rig.ts'

/** A command, and the code of each server's reply in the order of SERVERS; 0 where it hung up without one. */
export type Answered = { readonly input: Input; readonly codes: readonly number[] }

const SHOWN_CHARACTERS = 70

export function differencesPage(different: readonly Answered[]): string {
  const sections = EXPLANATIONS.map(({ title, why }, index) => {
    const rows = different.filter(({ input }) => EXPLANATIONS.findIndex(({ fits }) => fits(input)) === index)
    return `## ${title}\n\n${why}\n\n| command | ${SERVERS.join(' | ')} |\n|---|---|---|---|\n${rows.map(row).join('')}`
  })
  return `${head(different.length)}\n${sections.join('\n')}`
}

function head(differences: number): string {
  return `# Where we differ from Postfix and Exim

${INPUTS.length} odd commands were put to Postern, to Postfix 3.7 and to Exim 4.96, as Debian configures them but for being told to relay for
this host. ${differences} got replies with different codes. This page sorts them by reason; \`test/interop/odd-inputs.test.ts\` writes it
(\`POSTERN_WRITE_DIFFERENCES=1\`), and fails when a difference has no reason here.

The rule behind most of them: a path that two programs can take apart differently is how a relay is talked into sending
where it should not, so what the grammar of RFC 5321 leaves out is refused, and the reply says what is wrong with it.
`
}

function row({ input, codes }: Answered): string {
  const text = readable(input.line)
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
  const quoted = shown.includes('`') ? `\`\` ${shown} \`\`` : `\`${shown}\``
  const before = input.after === 'greeting' ? ' (first of all)' : ''
  return `| ${quoted}${before} | ${codes.map(code => (code === 0 ? 'hangs up' : String(code))).join(' | ')} |\n`
}

/** As UTF-8 where it is UTF-8; other octets and what cannot be seen as escapes. A bar would end the table's cell. */
function readable(line: string): string {
  const text = Buffer.from(line, 'latin1').toString('utf8')
  const isUtf8 = !text.includes('\ufffd')
  const escaped = (isUtf8 ? text : line).replaceAll(isUtf8 ? UNSEEN : /[^ -~]/g, character => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`)
  return escaped.replaceAll('|', '\\|')
}

const UNSEEN = /[\p{Cc}\p{Cf}\u00a0]/gu
