/** postern access lint */

import { defaultConfig } from '../../../core/config/parse.ts'
import { formatAccessProblem, parseAccessMap } from '../../../core/policy/access-map.ts'
import { accessProblems } from '../../../relay/policy-holder.ts'
import { readAccessFile, readAccessMap } from '../../access-source.ts'
import { defineCommand } from '../../command.ts'
import { readConfig } from '../../directory.ts'
import { plural, visible } from '../../output.ts'

export default defineCommand({
  summary: 'Find what is wrong in the access map, and what probably means something else than it says.',
  details: `Without FILE, the access map of the data directory. Each problem says what sendmail would do and what was probably
meant. A file with errors is not loaded; warnings are for lines that do less than they seem to.`,
  operands: '[FILE]',
  options: {},
  examples: ['postern access lint', 'postern access lint /etc/mail/access'],
  run: ({ operands: [given], directory }) => {
    const config = given === undefined ? readConfig(directory) : defaultConfig('localhost')
    const source = given === undefined ? readAccessMap(directory, config) : readAccessFile(given)
    const entries = parseAccessMap(source.accessText, source.accessFile).map.size
    return { file: source.accessFile, entries, problems: accessProblems(config, source) }
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
