/** postern access test */

import { readFileSync } from 'node:fs'
import { askAccess } from '../../../core/policy/access-question.ts'
import type { AccessAnswer } from '../../../core/policy/access-question.ts'
import { explainReason } from '../../../core/policy/explain.ts'
import type { Policy } from '../../../core/policy/policy.ts'
import { policyOf } from '../../../relay/policy-holder.ts'
import { readAccessMap, warnIfNotLoaded } from '../../access-source.ts'
import { defineCommand, Problem, UsageProblem } from '../../command.ts'
import { readConfig, reason } from '../../directory.ts'
import { indent, plural, visible, type Look } from '../../output.ts'

export default defineCommand({
  summary: 'Ask the access map: which line answers for a client, an address, a name?',
  details: `A QUESTION is a tag and what is looked up: Connect:192.0.2.7, From:joe@example.org, CERTSUBJECT:/O=Example/CN=joe,
CERTSAN:web7.example.org, USER:joe. The networks, domains and patterns around it are looked up as a session looks them
up. A value behind the question is what must come: the command fails where another line, or none, answers ("none" for no
line at all). --file has one question on each line, and comments. For a whole decision use postern explain.`,
  operands: '[QUESTION…]',
  options: {
    file: { type: 'text', value: 'FILE', describe: 'A file of questions, with what must come of each.' },
  },
  examples: ['postern access test Connect:192.0.2.7 USER:joe', 'postern access test "CERTSAN:web7.example.org RELAY"', 'postern access test --file access.test'],
  run: ({ args: { file }, operands, directory, say, look }) => {
    const questions = [...operands, ...(file === undefined ? [] : questionsIn(file))]
    if (questions.length === 0) throw new UsageProblem('give a QUESTION, such as Connect:192.0.2.7, or --file')
    const config = readConfig(directory)
    const source = { ...readAccessMap(directory, config), accessFile: config.relay.accessFile }
    warnIfNotLoaded(config, source, { say, look })
    const policy = policyOf(config, source)
    return questions.map(question => ask(policy, question))
  },
  render: (answers, look) => {
    const wrong = answers.filter(({ holds }) => !holds).length
    const end = answers.every(({ expected }) => expected === null) ? [] : [wrong === 0 ? look.good('All as expected.') : look.bad(`${plural(wrong, 'answer')} not as expected.`)]
    return [...answers.map(answer => render(answer, look)), ...end].join('\n')
  },
  toJson: answers =>
    answers.map(({ question, expected, holds, entry, because }) => ({ question, expected, holds, entry, lookedUp: because.flatMap(reason => (reason.kind === 'lookedUp' ? [reason.key] : [])) })),
  exitCode: answers => (answers.every(({ holds }) => holds) ? 0 : 1),
})

type Asked = AccessAnswer & { readonly question: string; readonly expected: string | null; readonly holds: boolean }

function ask(policy: Policy, text: string): Asked {
  const [, question = '', expected = ''] = /^(\S*)\s*(.*?)\s*$/.exec(text) ?? []
  const answer = askAccess(policy, question)
  if (answer === null) throw new UsageProblem(`${visible(question)} has no tag that can be asked for here; write Connect:192.0.2.7, From:, To:, CERTISSUER:, CERTSUBJECT:, CERTFP:, CERTSAN:, USER:, TLS_Clt:, TLS_Srv:, TLS_Rcpt:, Try_TLS:, Srv_Features:, TLS_Srv_Features:, TLS_Clt_Features:, GreetPause:, ClientRate:, ClientConn: or Spam:`)
  const came = answer.entry?.value.trim().toUpperCase() ?? 'NONE'
  return { ...answer, question, expected: expected === '' ? null : expected, holds: expected === '' || came === expected.toUpperCase() }
}

function questionsIn(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(line => line.trim() !== '' && !line.startsWith('#'))
  } catch (error) {
    throw new Problem(`${file}: ${reason(error)}`)
  }
}

function render({ question, entry, because, expected, holds }: Asked, look: Look): string {
  const answer = entry === null ? 'no line' : `${entry.file}:${entry.line}  ${visible(entry.key)}  ${look.bold(visible(entry.value))}`
  const verdict = holds ? '' : look.bad(`  expected ${visible(expected ?? '')}`)
  const tried = because.filter(reason => reason.kind === 'lookedUp' && reason.entry === null).map(reason => explainReason(reason))
  return [`${visible(question)}  ${answer}${verdict}`, ...tried.map(line => look.dim(indent(visible(line))))].join('\n')
}
