/** postern access lint */

import { readFileSync } from 'node:fs'
import { parseAccessMap } from '../../../core/policy/access-map.ts'
import { defineCommand, Problem } from '../../command.ts'
import { inDirectory, readConfig, reason } from '../../directory.ts'
import { plural, visible } from '../../output.ts'

export default defineCommand({
  summary: 'Find what is wrong in the access map, and what probably means something else than it says.',
  details: 'Without FILE, the access map of the data directory. Lines that sendmail\'s makemap would refuse are errors.',
  operands: '[FILE]',
  options: {},
  examples: ['postern access lint', 'postern access lint /etc/mail/access'],
  run: ({ operands: [given], directory }) => {
    const file = given ?? inDirectory(directory, readConfig(directory).relay.accessFile)
    const { map, problems } = parseAccessMap(readText(file), file)
    return { file, entries: map.size, problems }
  },
  render: ({ file, entries, problems }, look) => {
    const lines = problems.map(({ file, line, text, suggestion, faultyLine }) => {
      const where = `${file}:${line}: ${faultyLine ? look.bad(visible(text)) : look.warn(visible(text))}`
      return suggestion === null ? where : `${where}; ${visible(suggestion)}`
    })
    const [one, many] = ['entry', 'entries']
    const end = `${file}: ${entries} ${entries === 1 ? one : many}, ${problems.length === 0 ? look.good('no problems') : look.bad(plural(problems.length, 'problem'))}`
    return [...lines, end].join('\n')
  },
  toJson: ({ problems }) => problems,
  exitCode: ({ problems }) => (problems.some(({ faultyLine }) => faultyLine) ? 1 : 0),
})

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`)
  }
}
