/** postern dn */

import type { PeerCertificate } from '../../core/names/identity.ts'
import { alternativeNames } from '../../core/policy/alternative-names.ts'
import { readCertificateFile, type CertificateFile } from '../certificate-file.ts'
import { defineCommand } from '../command.ts'
import { fields, plural, visible, type Look } from '../output.ts'

export default defineCommand({
  summary: 'Print the names in a certificate as the access map writes them, and the lines to paste.',
  details: `For a CA's certificate the line lets everyone relay who holds a certificate of that CA. For any other the lines let
this one subject relay; lines behind a # are other ways to name it: by its fingerprint, by its key, by another name in
it. A key stands in the access map once: where it has a line for the issuer already, change that one. The CA must also
be trusted by the listener: our own is, others are named with client-ca.`,
  operands: 'FILE…',
  options: {},
  examples: ['postern dn joe.pem', 'postern dn partner-ca.pem --json', 'postern dn partner-ca.pem | grep ^CERT >> access && postern access lint'],
  run: ({ operands }) => operands.map(file => namesOf(readCertificateFile(file))),
  render: (all, look) => all.map(names => render(names, all.length > 1, look)).join('\n\n'),
  toJson: all => (all.length === 1 ? all[0] : all),
})

type Names = ReturnType<typeof namesOf>

function namesOf({ file, presented, certificatesInFile }: CertificateFile) {
  const { certificate, isAuthority } = presented
  const { subject, issuer, cnSubject, cnIssuer, fingerprint, keyFingerprint, ambiguousNames = [] } = certificate
  const needed = isAuthority ? (['subject'] as const) : (['subject', 'issuer'] as const)
  const unusable = needed.filter(name => ambiguousNames.includes(name))
  const byName = isAuthority ? [`CERTISSUER:${subject}\tRELAY`] : [`CERTISSUER:${issuer}\tSUBJECT`, `CERTSUBJECT:${subject}\tRELAY`]
  const alternatives = isAuthority ? [] : alternativeLines(certificate)
  // A fingerprint names a certificate whatever its names are like.
  const lines = unusable.length === 0 ? byName : alternatives.slice(0, 1)
  return { file, subject, issuer, cnSubject, cnIssuer, fingerprint, keyFingerprint, isAuthority, certificatesInFile, unusable, lines, alternatives }
}

/** The line for this very certificate first. */
function alternativeLines(certificate: PeerCertificate): readonly string[] {
  const { particular, uris } = alternativeNames(certificate)
  return [
    `CERTFP:${certificate.fingerprint}\tRELAY`,
    `CERTFP:${certificate.keyFingerprint}\tRELAY`,
    ...[...particular, ...uris].map(name => `CERTSAN:${name}\tRELAY`),
  ]
}

function render(names: Names, withFile: boolean, look: Look): string {
  const { file, subject, issuer, cnSubject, cnIssuer, fingerprint, keyFingerprint, isAuthority, certificatesInFile, unusable, lines, alternatives } = names
  const facts = fields(
    [
      ...(withFile ? [['file', visible(file)] as const] : []),
      ['subject', subject],
      ['issuer', issuer],
      ['cn subject', cnSubject],
      ['cn issuer', cnIssuer],
      ['SHA-256', fingerprint],
      ['of its key', keyFingerprint],
    ],
    look,
  )
  const who = isAuthority ? 'Everyone with a certificate of this CA may relay:' : 'This subject may relay, and of its issuer\'s others only those listed in the same way:'
  const paste =
    unusable.length > 0
      ? [look.bad(`No line for a name can stand for it: another ${unusable.join(' and ')} could have the same form.`), ...lines]
      : [look.dim(`# ${who}`), ...lines]
  const more = certificatesInFile > 1 ? [look.dim(`# The file holds ${plural(certificatesInFile, 'certificate')}; this is the first.`)] : []
  return [facts, '', ...more, ...paste, ...otherWays(alternatives.filter(line => !lines.includes(line)), look)].join('\n')
}

/** Behind a `#`, so that whoever pastes it all permits nothing more. */
function otherWays(alternatives: readonly string[], look: Look): readonly string[] {
  if (alternatives.length === 0) return []
  const keyLine = alternatives.findLastIndex(line => line.startsWith('CERTFP:'))
  const whose = (at: number): string | null => {
    if (at < keyLine) return 'Other lines that could stand in place of these. For this very certificate'
    if (at === keyLine) return 'For every certificate with this key'
    return at === keyLine + 1 ? 'For every certificate with such a name' : null
  }
  const lines = alternatives.flatMap((line, at) => {
    const words = whose(at)
    return [...(words === null ? [] : [`# ${words}:`]), `# ${line}`]
  })
  return ['', ...lines.map(look.dim)]
}
