/** postern user add */

import path from 'node:path'
import type { Config } from '../../../core/config/schema.ts'
import { addressProblem, dnsNameProblem, holderNameProblem, senderProblem } from '../../../core/pki/holder.ts'
import { formatInstant } from '../../../core/time.ts'
import type { HolderRecord, IssuedClient } from '../../../relay/admin.ts'
import { defineCommand, UsageProblem } from '../../command.ts'
import { readConfig } from '../../directory.ts'
import { PRIVATE_FILE, PUBLIC_FILE, refuseOverwriting, shortPath, writeNewFiles, type NewFile } from '../../files.ts'
import { fields, indent, type Look } from '../../output.ts'
import { askAuthority } from '../../running.ts'
import { CLIENT_DAYS, validDays } from '../../validity.ts'

type Added = {
  readonly name: string
  readonly kind: 'person' | 'machine'
  readonly files: readonly string[]
  readonly authorityFile: string
  /** How to reach this relay, in words. */
  readonly submission: string
  readonly issued: IssuedClient
}

export default defineCommand({
  summary: 'Issue a certificate to a person or a machine, who may then relay.',
  details: `For a person it is a PKCS#12 file, NAME.p12, that mail programs import with a password that is shown once. For
programs on UNIX, --format pem writes NAME.pem (the certificate and its issuing CA) and NAME.key.

A person may send from the addresses given with --email and --sender. A machine may send from any address, unless
--email or --sender limit it. With no address at all, somebody who has or had a certificate gets another one for the
same addresses.`,
  operands: 'NAME',
  options: {
    email: { type: 'list', value: 'A', describe: 'An address of the holder, written into the certificate; a new person needs one.' },
    machine: { type: 'flag', describe: 'For a machine, a container or a program rather than a person.' },
    dns: { type: 'list', value: 'HOST', describe: 'A host name of the machine, written into the certificate.' },
    sender: { type: 'list', value: 'A', describe: 'A further address, or @DOMAIN for all of a domain, that it may send from.' },
    format: { type: 'choice', choices: ['p12', 'p12-modern', 'pem'], describe: 'The kind of file (default p12, which every mail program reads; p12-modern has newer ciphers).' },
    'key-type': { type: 'choice', choices: ['p256', 'rsa2048'], describe: 'The kind of key (default p256; rsa2048 for old devices).' },
    days: { type: 'number', value: 'N', describe: `How long it is valid (default ${CLIENT_DAYS}).` },
    out: { type: 'text', value: 'FOLDER', describe: 'Where to write the files (default: the current folder).' },
  },
  examples: [
    'postern user add joe --email joe@example.org',
    'postern user add joe',
    'postern user add joe --email joe@example.org --format pem --out certificates',
    'postern user add web7 --machine --dns web7.example.org --sender @example.org --format pem',
  ],
  run: async ({ args, operands: [name = ''], directory }): Promise<Added> => {
    const saysNothing = [args.email, args.sender, args.dns].every(list => list.length === 0)
    const kind = args.machine ? 'machine' : saysNothing ? await knownKind(directory, name) : 'person'
    if (kind === null || (kind === 'person' && !saysNothing && args.email.length === 0)) throw new UsageProblem('a person needs an address: --email joe@example.org; for a machine say --machine')
    if (kind === 'person' && args.dns.length > 0) throw new UsageProblem('--dns is for machines; say --machine too')
    const problem = nameProblem(name, args)
    if (problem !== null) throw new UsageProblem(problem)
    const days = validDays(args.days, CLIENT_DAYS)
    const format = args.format ?? 'p12'
    const base = path.join(path.resolve(args.out ?? '.'), path.basename(name))
    refuseOverwriting(format === 'pem' ? [`${base}.pem`, `${base}.key`] : [`${base}.p12`])
    const { issued } = await askAuthority(
      directory,
      {
        do: 'issueClient',
        name,
        kind,
        addresses: args.email,
        dnsNames: args.dns,
        senders: args.sender,
        keyType: args['key-type'] ?? 'p256',
        days,
        format,
      },
      'issuedClient',
    )
    const files = filesOf(base, issued)
    await writeNewFiles(files)
    return {
      name,
      kind,
      files: files.map(({ file }) => file),
      authorityFile: path.join(directory, 'ca', 'ca.pem'),
      submission: submissionInWords(readConfig(directory)),
      issued,
    }
  },
  render: (added, look) => `${facts(added, look)}\n\n${look.bold('Next')}\n${indent(nextSteps(added))}`,
  toJson: ({ name, kind, files, issued }) => ({
    name,
    kind,
    files,
    ...(issued.format === 'p12' ? { password: issued.password } : {}),
    fingerprint: issued.fingerprint,
    notAfter: formatInstant(issued.notAfter),
  }),
})

/** Of whoever has the name already; null if that is nobody. */
async function knownKind(directory: string, name: string): Promise<HolderRecord['kind'] | null> {
  const { holders } = await askAuthority(directory, { do: 'list' }, 'listed')
  return holders.find(holder => holder.name.toLowerCase() === name.toLowerCase())?.kind ?? null
}

/** What the authority would refuse to write into a certificate, by the option that it came from. */
function nameProblem(name: string, given: { readonly email: readonly string[]; readonly dns: readonly string[]; readonly sender: readonly string[] }): string | null {
  const option = (words: string, problem: string | null): string | null => (problem === null ? null : `${words} ${problem}`)
  const problems = [
    holderNameProblem(name),
    ...given.email.map(address => (address.startsWith('@') ? `--email ${address} is no mail address; for all of a domain say --sender ${address}` : option('--email', addressProblem(address)))),
    ...given.dns.map(host => option('--dns', dnsNameProblem(host))),
    ...given.sender.map(sender => option('--sender', senderProblem(sender))),
  ]
  return problems.find(problem => problem !== null) ?? null
}

function filesOf(base: string, issued: IssuedClient): readonly NewFile[] {
  if (issued.format === 'p12') return [{ file: `${base}.p12`, content: Buffer.from(issued.p12Base64, 'base64'), mode: PRIVATE_FILE }]
  return [
    { file: `${base}.key`, content: issued.keyPem, mode: PRIVATE_FILE },
    { file: `${base}.pem`, content: issued.certificatePem, mode: PUBLIC_FILE },
  ]
}

function facts({ name, kind, files, issued }: Added, look: Look): string {
  return fields(
    [
      ['issued to', `${name} (${kind}), valid until ${formatInstant(issued.notAfter)}`],
      ...files.map((file, index) => [index === 0 ? 'files' : '', shortPath(file)] as const),
      ...(issued.format === 'p12' ? [['password', `${look.bold(issued.password)}  (shown only now; give it to ${name} apart from the file)`] as const] : []),
      ['fingerprint', issued.fingerprint],
    ],
    look,
  )
}

function nextSteps({ name, files, authorityFile, submission, issued }: Added): string {
  const trust = `It must trust the relay's authority, ${shortPath(authorityFile)}, unless the relay has a public certificate.`
  if (issued.format === 'p12') {
    return `Import ${shortPath(files[0] ?? '')} in the mail program of ${name}. Outgoing server: ${submission}, authentication "none".\n${trust}`
  }
  return `Give the program the certificate and the key. Outgoing server: ${submission}.\n${trust}\nWith the access map that "postern init" wrote, ${name} may relay at once.`
}

/** The ports as configured; where low ones can't be bound, "postern status" shows those taken instead. */
function submissionInWords({ hostname, listeners }: Config): string {
  const { submission, submissions } = listeners
  const ways = [
    ...(submission.enabled ? [`port ${submission.address.port} with STARTTLS`] : []),
    ...(submissions.enabled ? [`port ${submissions.address.port} with TLS`] : []),
  ]
  return `${hostname}, ${ways.join(' or ')}`
}
