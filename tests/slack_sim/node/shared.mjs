// What both agents are told, say and show.

export const apiUrl = process.env.SLACK_API_URL;
export const botToken = process.env.SLACK_BOT_TOKEN;
export const appToken = process.env.SLACK_APP_TOKEN;

/** Prints one line of JSON for something that happened. */
export function tell(what, more = {}) {
  console.log(JSON.stringify({ what, ...more }));
}

const plain = (text) => ({ type: 'plain_text', text });

/** A modal with one input. */
export function modal(callbackId) {
  const what = { type: 'plain_text_input', action_id: 'what' };
  return {
    type: 'modal',
    callback_id: callbackId,
    title: plain('A task'),
    submit: plain('Go'),
    blocks: [{ type: 'input', block_id: 'what', label: plain('What?'), element: what }],
  };
}

/** What a submission of either modal is answered. */
export function answerToSubmission(view) {
  if (view.callback_id === 'confirm') return {};
  const said = view.state.values.what.what.value;
  if (said.length < 5) return { response_action: 'errors', errors: { what: 'Say more.' } };
  return { response_action: 'update', view: modal('confirm') };
}

/** Answers a mention in its thread: as a stream, or as a message that is changed. */
export async function answer(client, event, teamId) {
  const said = event.text.split('> ')[1];
  const place = { channel: event.channel, thread_ts: event.ts };
  if (said === 'stream') {
    const streamed = { ...place, recipient_team_id: teamId, recipient_user_id: event.user, buffer_size: 4 };
    await write(client.chatStream(streamed));
    return;
  }
  const posted = await client.chat.postMessage({ ...place, text: 'thinking' });
  await client.chat.update({ channel: event.channel, ts: posted.ts, text: `You said: ${said}` });
}

/** Writes a stream piece by piece. */
export async function write(stream) {
  await stream.append({ markdown_text: '**water ' });
  await stream.append({ markdown_text: 'the pl' });
  await stream.stop({ markdown_text: 'ants**' });
}

/** Tells when a client was told to wait. */
export function tellOfLimits(client) {
  client.on('rate_limited', (seconds) => tell('rate limited', { seconds }));
}

/** Tells how a socket comes and goes. */
export function tellOfSocket(client) {
  for (const state of ['connected', 'reconnecting']) client.on(state, () => tell(state));
}
