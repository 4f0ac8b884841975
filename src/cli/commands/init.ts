/** postern init */

import os from 'node:os'
import path from 'node:path'
import { defineCommand, UsageProblem } from '../command.ts'
import { ask, canAsk } from '../confirm.ts'
import { shellQuoted } from '../files.ts'
import { initialise } from '../initialise.ts'
import { fields, indent, type Look } from '../output.ts'

export default defineCommand({
  summary: 'Make a data directory: CA, server certificate, configuration, access map.',
  details: `Asks nothing when --hostname and --domain are given; asks for them on a terminal otherwise. Overwrites nothing.

The server certificate is for the host name, and for localhost, so that first tries on the same machine work.
With a passphrase the CA key is encrypted on disk; "postern run" then reads the passphrase from the same file.`,
  options: {
    hostname: { type: 'text', value: 'H', describe: 'This machine\'s full name, which clients connect to.' },
    domain: { type: 'list', value: 'D', describe: 'A mail domain of ours: mail to it is accepted from anyone.' },
    smarthost: { type: 'text', value: 'HOST:PORT', describe: 'The server that takes all our mail, by our address or our certificate (default: each domain\'s MX hosts).' },
    organisation: { type: 'text', value: 'O', describe: 'The organisation in certificates, a domain (default: the first --domain).' },
    'ca-name': { type: 'text', value: 'NAME', describe: 'The name of the CA that issues certificates (default: made from the organisation); not the host name.' },
    'key-type': { type: 'choice', choices: ['p256', 'rsa2048'], describe: 'The kind of the authority\'s keys and ours (default p256).' },
    'ca-passphrase-file': { type: 'text', value: 'FILE', describe: 'A file with a passphrase that encrypts the CA key; readable by its owner only.' },
  },
  examples: [
    'postern init --hostname mx.example.org --domain example.org',
    'postern init --hostname mx.example.org --domain example.org --domain example.net --smarthost smtp.example.net:25 --dir /var/lib/postern',
  ],
  run: async ({ args, directory }) => {
    const hostname = args.hostname ?? (await askFor('hostname', 'This machine\'s full name', os.hostname()))
    const domains = args.domain.length > 0 ? args.domain : [await askFor('domain', 'Your mail domain', hostname.replace(/^[^.]+\.(?=.*\.)/, ''))]
    const passphraseFile = args['ca-passphrase-file']
    const made = await initialise(directory, {
      hostname,
      domains,
      organisation: args.organisation ?? null,
      caName: args['ca-name'] ?? null,
      keyType: args['key-type'] ?? 'p256',
      smarthost: args.smarthost ?? null,
      smarthostIsTrial: false,
      addresses: {},
      passphraseFile: passphraseFile === undefined ? null : path.resolve(passphraseFile),
    })
    return { directory, hostname, domains, ...made }
  },
  render: (made, look) => `${summary(made, look)}\n\n${look.bold('Next')}\n${indent(nextSteps(made))}`,
})

type Result = {
  readonly directory: string
  readonly domains: readonly string[]
  readonly serverNames: readonly string[]
  readonly issuingSubject: string
}

function summary({ directory, serverNames, issuingSubject }: Result, look: Look): string {
  const inside = (name: string): string => path.join(directory, name)
  return fields(
    [
      ['configuration', inside('postern.toml')],
      ['access map', `${inside('access')}: certificates of our CA may relay`],
      ['authority', `${issuingSubject}\n${inside('ca/ca.pem')} is what clients trust`],
      ['server', `${inside('tls/server.pem')}, for ${serverNames.join(', ')}`],
    ],
    look,
  )
}

function nextSteps({ directory, domains }: Result): string {
  const dir = `--dir ${shellQuoted(directory)}`
  return `postern user add joe --email joe@${domains[0] ?? 'example.org'} ${dir}
postern check ${dir}
postern run ${dir}`
}

async function askFor(option: string, question: string, fallback: string): Promise<string> {
  if (!canAsk()) throw new UsageProblem(`--${option} is missing, and nobody can be asked here (see postern init --help)`)
  return ask(`${question} [${fallback}]:`, fallback)
}
