/** postern check */

import { defineCommand } from '../command.ts'
import type { Finding } from '../../process/directory-findings.ts'
import { inspect } from '../inspection.ts'
import { plural, type Look } from '../output.ts'

export default defineCommand({
  summary: 'Name every problem in configuration, files, modes, certificates, ports, relay rules and [[test]] cases.',
  details: 'Each problem says where it is and what to do. Warnings and notes alone leave the exit code at 0.',
  options: {},
  examples: ['postern check', 'postern check --dir /var/lib/postern --json'],
  run: ({ directory }) => inspect(directory, Date.now()),
  render: (findings, look) => {
    const lines = findings.map(({ severity, text }) => `${mark(severity, look)}  ${text}`)
    const errors = findings.filter(({ severity }) => severity === 'error').length
    const end = errors > 0 ? look.bad(`${plural(errors, 'error')}.`) : look.good(findings.length === 0 ? 'No problems.' : 'No errors.')
    return [...lines, end].join('\n')
  },
  exitCode: findings => (findings.some(({ severity }) => severity === 'error') ? 1 : 0),
})

function mark(severity: Finding['severity'], look: Look): string {
  switch (severity) {
    case 'error':
      return look.bad('error  ')
    case 'warning':
      return look.warn('warning')
    case 'note':
      return look.dim('note   ')
  }
}
