/** postern dn */

import { readCertificateFile, type CertificateFile } from '../certificate-file.ts'
import { defineCommand } from '../command.ts'
import { fields, plural, type Look } from '../output.ts'

export default defineCommand({
  summary: 'Print the names in a certificate as the access map writes them, and the lines to paste.',
  details: `For a CA's certificate the line lets everyone relay who holds a certificate of that CA. For any other the lines let
this one subject relay. The CA must also be trusted by the listener: our own is, others are named with client-ca.`,
  operands: 'FILE…',
  options: {},
  examples: ['postern dn joe.pem', 'postern dn partner-ca.pem --json', 'postern dn joe.pem | grep ^CERT >> access'],
  run: ({ operands }) => operands.map(file => namesOf(readCertificateFile(file))),
  render: (all, look) => all.map(names => render(names, all.length > 1, look)).join('\n\n'),
  toJson: all => (all.length === 1 ? all[0] : all),
})

type Names = ReturnType<typeof namesOf>

function namesOf({ file, presented, certificatesInFile }: CertificateFile) {
  const { certificate, isAuthority } = presented
  const { subject, issuer, cnSubject, cnIssuer, fingerprint, ambiguousNames = [] } = certificate
  const needed = isAuthority ? (['subject'] as const) : (['subject', 'issuer'] as const)
  const unusable = needed.filter(name => ambiguousNames.includes(name))
  const lines = isAuthority ? [`CERTISSUER:${subject}\tRELAY`] : [`CERTISSUER:${issuer}\tSUBJECT`, `CERTSUBJECT:${subject}\tRELAY`]
  return { file, subject, issuer, cnSubject, cnIssuer, fingerprint, isAuthority, certificatesInFile, unusable, lines: unusable.length > 0 ? [] : lines }
}

function render(names: Names, withFile: boolean, look: Look): string {
  const { file, subject, issuer, cnSubject, cnIssuer, fingerprint, isAuthority, certificatesInFile, unusable, lines } = names
  const facts = fields(
    [
      ...(withFile ? [['file', file] as const] : []),
      ['subject', subject],
      ['issuer', issuer],
      ['cn subject', cnSubject],
      ['cn issuer', cnIssuer],
      ['SHA-256', fingerprint],
    ],
    look,
  )
  const who = isAuthority ? 'Everyone with a certificate of this CA may relay:' : 'This subject may relay, and of its issuer\'s others only those listed in the same way:'
  const paste =
    unusable.length > 0
      ? look.bad(`No access map line can stand for it: another ${unusable.join(' and ')} could have the same form.`)
      : `${look.dim(`# ${who}`)}\n${lines.join('\n')}`
  const more = certificatesInFile > 1 ? [look.dim(`# The file holds ${plural(certificatesInFile, 'certificate')}; this is the first.`)] : []
  return [facts, '', ...more, paste].join('\n')
}
