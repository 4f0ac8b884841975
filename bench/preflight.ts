/**
 * Shows before anything is measured that the certificate is what grants relaying: from the same
 * address without one, a recipient is refused. A server that relays for anybody would win unfairly.
 */

import { connect } from 'node:net'

export async function assertRefusesStrangers(port: number): Promise<void> {
  const reply = await replyToStrangersRecipient(port)
  if (!/^[45]/.test(reply)) throw new Error(`it relays without a certificate, so nothing is measured: "${reply}"`)
}

function replyToStrangersRecipient(port: number): Promise<string> {
  const commands = ['EHLO client.bench.test', 'MAIL FROM:<load@bench.test>', 'RCPT TO:<sink@sink.test>', 'QUIT']
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.1.1' })
    let unread = ''
    let next = 0
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      unread += text
      for (const line of unread.split('\r\n').slice(0, -1)) {
        unread = unread.slice(line.length + 2)
        if (line[3] === '-') continue
        // A refusal of MAIL is as good as one of RCPT.
        if (next === 3 || /^[45]/.test(line)) {
          socket.destroy()
          return resolve(line)
        }
        socket.write(`${commands[next++]}\r\n`)
      }
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('it closed the connection before answering RCPT')))
  })
}
