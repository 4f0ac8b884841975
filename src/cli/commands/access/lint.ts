/** postern access lint */

import { defaultConfig } from '../../../core/config/parse.ts'
import { formatAccessProblem, parseAccessMap } from '../../../core/policy/access-map.ts'
import { unknownHolders } from '../../../core/policy/access-lint-own.ts'
import { accessProblems } from '../../../relay/policy-holder.ts'
import { readAccessFile, readAccessMap } from '../../access-source.ts'
import { defineCommand, Problem } from '../../command.ts'
import { readConfig } from '../../directory.ts'
import { plural, visible } from '../../output.ts'
import { askAuthority } from '../../running.ts'

export default defineCommand({
  summary: 'Find what is wrong in the access map, and what probably means something else than it says.',
  details: `Without FILE, the access map of the data directory. Each problem says what sendmail would do and what was probably
meant. A file with errors is not loaded; warnings are for lines that do less than they seem to. With a data directory,
USER: lines are looked for among the people and machines there are.`,
  operands: '[FILE]',
  options: {},
  examples: ['postern access lint', 'postern access lint /etc/mail/access'],
  run: async ({ operands: [given], directory }) => {
    const config = given === undefined ? readConfig(directory) : defaultConfig('localhost')
    const source = given === undefined ? readAccessMap(directory, config) : readAccessFile(given)
    const { map } = parseAccessMap(source.accessText, source.accessFile)
    const asksForHolders = given === undefined && config.relay.compatibility === 'postern' && /^user:/im.test(source.accessText)
    const names = asksForHolders ? await holderNames(directory) : null
    const strangers = names === null ? [] : unknownHolders(map, names)
    const problems = [...accessProblems(config, source), ...strangers].sort((a, b) => a.line - b.line)
    return { file: source.accessFile, entries: map.size, problems }
  },
  render: ({ file, entries, problems }, look) => {
    const lines = problems.map(problem => {
      const text = visible(formatAccessProblem(problem))
      return problem.severity === 'error' ? look.bad(text) : look.warn(`${text} (warning)`)
    })
    const [one, many] = ['entry', 'entries']
    const end = `${file}: ${entries} ${entries === 1 ? one : many}, ${problems.length === 0 ? look.good('no problems') : look.bad(plural(problems.length, 'problem'))}`
    return [...lines, end].join('\n')
  },
  toJson: ({ problems }) => problems,
  exitCode: ({ problems }) => (problems.some(({ severity }) => severity === 'error') ? 1 : 0),
})

/** Null where no authority can be asked, which is no fault of the map. */
async function holderNames(directory: string): Promise<readonly string[] | null> {
  try {
    const { holders } = await askAuthority(directory, { do: 'list' }, 'listed')
    return holders.map(({ name }) => name)
  } catch (problem) {
    if (problem instanceof Problem) return null
    throw problem
  }
}
