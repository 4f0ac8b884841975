/**
 * Why Postern answers an odd command differently from Postfix or Exim. Every difference has its place
 * here, and every place here has a difference; the first that fits counts.
 *
 * The page docs/internals/differences.md is printed from this table and from what the three said.
 */

import type { Input } from './inputs.ts'

export type Explanation = {
  readonly title: string
  readonly why: string
  readonly fits: (input: Input) => boolean
}

/** By the command line as typed. */
function lines(pattern: RegExp): Explanation['fits'] {
  return ({ line }) => pattern.test(line)
}

function paths(pattern: RegExp): Explanation['fits'] {
  return ({ line }) => pattern.test(/^(?:MAIL FROM|RCPT TO):(.*)$/s.exec(line)?.[1] ?? '\0')
}

export const EXPLANATIONS: readonly Explanation[] = [
  {
    title: 'Commands before EHLO',
    why: 'RFC 5321 §4.1.4: a session begins with EHLO. Postfix waits until RCPT to say so, or never does.',
    fits: ({ after, line }) => after === 'greeting' && /^(?:MAIL|RCPT|DATA|VRFY|HELP|AUTH)/.test(line),
  },
  {
    title: 'A local part that begins with a hyphen',
    why: 'RFC 5321 §4.1.2 permits it. Postfix refuses it, since a delivery program might take it for an option; Postern starts no programs for delivery.',
    fits: paths(/^<-[^@]*@example\.net>$/),
  },
  {
    title: 'Octets that are neither ASCII nor UTF-8',
    why: 'RFC 6531 §3.3 lets UTF-8 into paths and nothing else. What is not UTF-8 would be read differently by everybody who comes after.',
    fits: lines(/[\x80-\xbf]{3}|\xfc(?:[^\x80-\xbf]|$)/),
  },
  {
    title: 'Letters beyond ASCII',
    why: 'Postern and Postfix take UTF-8 after SMTPUTF8, but no character that has no letter\'s meaning: blanks, controls, and the dots of other scripts, which IDNA takes for dots. Exim lets all of them pass, or refuses all in domains where Debian left IDN out.',
    fits: lines(/[\x80-\xff]/),
  },
  {
    title: 'Dots where a dot-string has none',
    why: 'RFC 5321 §4.1.2: a dot stands between two atoms. Which mailbox `.user` or `us..er` is, a next hop decides for itself, so the sender must write it in quotation marks.',
    fits: paths(/^<(?:\.user|user\.|us\.\.er)@/),
  },
  {
    title: 'A tab in a command',
    why: 'RFC 5321 §4.1.2 knows one separator, the space. A tab is refused with 500 and what is expected.',
    fits: lines(/\t/),
  },
  {
    title: 'Blanks and comments in a path',
    why: 'They belong to header fields (RFC 5322), not to envelopes. With them in place it is a guess where the address begins and ends.',
    fits: paths(/^(?:<us er@|<us\(er\)?@|<user@ex\(ample\)|< user|<user@example\.net >|<user @|<user@ example|<\(User\)|<user@example\.net \(User\)>|< >|<\$\(id\)@)/),
  },
  {
    title: 'Something before or behind the path',
    why: 'A display name, a comment, a second address: a parameter (`KEYWORD=value`) is all that may follow a path (RFC 5321 §4.1.2), and nothing stands before it. Exim takes out the address that it finds.',
    fits: paths(/^(?:"?User"? <|<user@example\.net> [(<]|<user@example\.net> ?$)/),
  },
  {
    title: 'No angle brackets, or too many',
    why: 'RFC 5321 §4.1.2 wants them. Without them it is unclear where the address ends and a parameter begins. Postern says `write it in angle brackets`.',
    fits: paths(/^(?:user@example\.net>?|user|postmaster|<<user@example\.net>>|<user@example\.net>>)$/),
  },
  {
    title: 'Backslashes and colons outside quotation marks',
    why: 'Both must be quoted (RFC 5321 §4.1.2). Postfix and Exim take the backslash away, each in its own way, and that is how one address becomes two (S15).',
    fits: paths(/\\|^<(?:us:er|:include:[^@]*|group:user)@/),
  },
  {
    title: 'Quoted strings in part of a local part',
    why: 'RFC 5321 §4.1.2: a local part is a dot-string or one quoted string. The mixture is RFC 822\'s.',
    fits: paths(/^<"us"\./),
  },
  {
    title: 'An empty local part',
    why: '`""@example.net` is in the grammar and names nobody; without the quotation marks it is not even that.',
    fits: paths(/^<(?:""|@)?@example\.net>$/),
  },
  {
    title: 'Two at-signs',
    why: 'Which is the one that counts? Postfix takes the last, others the first. Nobody is asked to guess (S15).',
    fits: paths(/^<user@(?:other\.example@example\.net|example\.net@other\.example)>$/),
  },
  {
    title: 'An at-sign within quotation marks',
    why: 'It is part of the local part (RFC 5321 §4.1.2), and the policy sees it as that. Exim refuses a mailbox without a domain; so do we if it cannot be one of ours.',
    fits: paths(/^<"user@example\.net">$/),
  },
  {
    title: 'A domain of digits',
    why: 'RFC 5321 §4.1.2 permits it as a name. Postfix refuses it because it looks like an address; Postern asks DNS for the name and never takes it for an address.',
    fits: paths(/^<user@(?:1|192\.0\.2\.1)>$/),
  },
  {
    title: 'A trailing dot',
    why: 'RFC 5321 §2.3.5: domains are fully qualified and have no dot at the end. Postfix takes the dot away; to a policy it would be another domain.',
    fits: paths(/^<user@example\.net\.>$/),
  },
  {
    title: 'Labels that are no host names',
    why: 'Letters, digits and hyphens, no hyphen at an end, 63 octets (RFC 5321 §4.1.2, RFC 1035 §2.3.4). Underscores are common in DNS and not in mail domains. Exim does not look at lengths and ends.',
    fits: paths(/^<user@(?:example-\.net|ex_ample\.net|l{64}\.net|xn--\.example)>$|^<user@(?:l{63}\.){3,4}net>$/),
  },
  {
    title: 'Address literals',
    why: 'RFC 5321 §4.1.3 permits them; Exim refuses them unless it is told otherwise. Postern takes a literal that is written exactly so, Postfix also what is cut short, has leading zeros, or too few groups.',
    fits: paths(/^<user@\[/),
  },
  {
    title: 'Local parts without a domain',
    why: 'Only `<postmaster>` is promised to everybody (RFC 5321 §4.5.1). To complete other names with a domain is to guess; Postfix does it.',
    fits: paths(/^<(?:user|MAILER-DAEMON|postmaster|"user@example\.net")>$/i),
  },
  {
    title: 'Source routes that are malformed',
    why: 'RFC 5321 §4.1.1.3 has them accepted and ignored, and Postern does so. What only looks like one has two readings.',
    fits: paths(/^<@?(?:hop\.example)?(?:,?:|:@|:user|,:|\[192)|^<@(?:hop\.example:>|:|\[)/),
  },
  {
    title: 'Parameters that are malformed, doubled or unknown',
    why: 'RFC 5321 §4.1.1.11 and the extensions\' own grammar: 555 for a keyword that we do not offer, 501 for a value that is none. One given twice might be meant either way. Postfix and Exim have codes of their own, and Exim reads an unknown parameter as part of the address.',
    fits: lines(/> .*(?:SIZE|BODY|SMTPUTF8|AUTH|FOO|=bar|RET|ENVID)/),
  },
  {
    title: 'Names after EHLO and HELO',
    why: 'One word (RFC 5321 §4.1.1.1). Any word is taken: a name proves nothing, and RFC 5321 §4.1.4 forbids to refuse a client because its name does not check out. Exim checks the spelling, Postfix takes what follows the word, too.',
    fits: lines(/^ ?(?:EHLO|HELO)\b/),
  },
  {
    title: 'VRFY, EXPN and HELP',
    why: 'VRFY is answered by 252 to all alike (RFC 5321 §3.5.3, §7.3), without reading the name; EXPN is known and not implemented, 502 (§4.2.4); HELP helps.',
    fits: lines(/^(?:VRFY|EXPN|HELP)/),
  },
  {
    title: 'Commands of RFC 821 that are no more',
    why: 'RFC 5321 Appendix F: 502 says that the command is known and not implemented; 500 that nobody has heard of it (§4.2.4).',
    fits: lines(/^(?:TURN|SEND|SOML|SAML)/),
  },
  {
    title: 'Arguments where none belong',
    why: 'RFC 5321 §4.1.1: 501, and what the command looks like. Postfix ends the session at `QUIT now`.',
    fits: lines(/^(?:QUIT|DATA|RSET|STARTTLS) now$/),
  },
  {
    title: 'Commands that are half there',
    why: 'The command is known and its syntax is wrong: 501 (RFC 5321 §4.2.4), not 500. Two blanks are not one.',
    fits: lines(/^(?:MAIL|RCPT)(?:$| |FROM)/),
  },
  {
    title: 'DATA without a recipient',
    why: 'RFC 5321 §4.1.1.4 permits 503 or 554; RFC 2920 §3.1 makes 554 the better one for clients that pipeline.',
    fits: ({ line }) => line === 'DATA',
  },
  {
    title: 'Extensions that the others do not have, or not for this client',
    why: 'Postern does not offer AUTH in the clear and says so with 538 (RFC 4954 §6); the others were set up without it. ETRN, BDAT, XCLIENT: see the reference of extensions for who may use them.',
    fits: lines(/^(?:AUTH|ETRN|BDAT|XCLIENT|PROXY)/),
  },
  {
    title: 'Long lines',
    why: 'RFC 5321 §4.5.3.1.4: 512 octets with the CRLF, and what extensions add for their own commands. A longer line is read to its end, and refused with 500.',
    fits: lines(/x{400}/),
  },
]
