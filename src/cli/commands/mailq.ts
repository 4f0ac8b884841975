/** postern mailq */

import { defineCommand } from '../command.ts'
import queueList from './queue/list.ts'

export default defineCommand({
  ...queueList,
  summary: 'List messages that are still in the queue, as "postern queue list".',
  details: 'A link to bin/postern that is called mailq runs this command.',
  examples: ['postern mailq', 'postern mailq --state held'],
})
