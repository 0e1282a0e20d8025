// An agent on @slack/socket-mode and @slack/web-api alone.

import { LogLevel, SocketModeClient } from '@slack/socket-mode';
import { WebClient } from '@slack/web-api';
import { answer, answerToSubmission, apiUrl, appToken, botToken, modal, tell, tellOfLimits, tellOfSocket } from './shared.mjs';

const options = { slackApiUrl: apiUrl, logLevel: LogLevel.ERROR };
const web = new WebClient(botToken, options);
const socket = new SocketModeClient({ appToken, logLevel: LogLevel.ERROR, clientOptions: { slackApiUrl: apiUrl } });
tellOfLimits(web);
tellOfSocket(socket);

async function respond(body, text) {
  await fetch(body.response_url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ text, response_type: 'in_channel' }),
  });
}

async function hear({ ack, body, event, retry_num: retryNum, retry_reason: retryReason }) {
  tell('event', { type: event.type, id: body.event_id, text: event.text, retryNum, retryReason });
  if (event.text === 'ignore me once' && retryNum === 0) return;
  await ack();
  if (event.type === 'app_mention') await answer(web, event, body.team_id);
}

async function takeInteraction({ ack, body }) {
  tell('interaction', { type: body.type });
  if (body.type === 'view_submission') {
    await ack(answerToSubmission(body.view));
    return;
  }
  await ack();
  await web.views.open({ trigger_id: body.trigger_id, view: modal('task') });
}

async function takeCommand({ ack, body }) {
  tell('command', { text: body.text });
  await ack({ text: 'On it' });
  await respond(body, `Done: ${body.text}`);
}

socket.on('app_mention', hear);
socket.on('message', hear);
socket.on('interactive', takeInteraction);
socket.on('slash_commands', takeCommand);
await socket.start();
