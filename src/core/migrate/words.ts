/** What the reports of both migrations say in the same words. */

export const SENDMAIL_COMMAND =
  'Postern has a command for them, which gives their mail to the relay with a certificate of this machine and keeps no queue: set it up as docs/sendmail.md says'

export const PASSWORDS =
  'Passwords are not copied. Whoever logged in needs a new one for each device ("postern user passwd NAME --device DEVICE", docs/passwords.md), or a certificate ("postern user add NAME --email ADDRESS")'

export const PASSWORDS_AT_NEXT_HOPS =
  'Postern does not log in at next hops with a password in this version: if the next hop takes a certificate, it is shown there (delivery.certificate); if not, keep the old program in between for this hop'

export function needsIdentity(listener: string): string {
  return `On ${listener} nobody sends without a certificate or a password of "postern user passwd": clients that relay because of their address get 530 there and must use the mx listener, or get one of the two`
}
