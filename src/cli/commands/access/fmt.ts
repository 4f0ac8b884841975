/** postern access fmt */

import { formatAccessMap } from '../../../core/policy/access-format.ts'
import { readAccessFile, readAccessMap } from '../../access-source.ts'
import { defineCommand } from '../../command.ts'
import { readConfig } from '../../directory.ts'

export default defineCommand({
  summary: 'Print the access map with its values under one another.',
  details: `Without FILE, the access map of the data directory. Nothing changes but the white space between keys and values;
comments and line numbers stay. Lines that are wrong are left as they are.`,
  operands: '[FILE]',
  options: {},
  examples: ['postern access fmt', 'postern access fmt access > access.new && mv access.new access'],
  run: ({ operands: [given], directory }) => {
    const { accessText } = given === undefined ? readAccessMap(directory, readConfig(directory)) : readAccessFile(given)
    return { text: formatAccessMap(accessText) }
  },
  render: ({ text }) => text.replace(/\n$/, ''),
})
