// An agent on @slack/bolt in Socket Mode.

import { App, LogLevel } from '@slack/bolt';
import { answer, answerToSubmission, apiUrl, appToken, botToken, modal, tell, tellOfLimits, tellOfSocket, write } from './shared.mjs';

const app = new App({
  token: botToken,
  appToken,
  socketMode: true,
  logLevel: LogLevel.ERROR,
  clientOptions: { slackApiUrl: apiUrl },
});
tellOfSocket(app.receiver.client);

app.use(async ({ body, client, next }) => {
  if (client.listenerCount('rate_limited') === 0) tellOfLimits(client);
  if (body.event) tell('event', { type: body.event.type, id: body.event_id, text: body.event.text });
  await next();
});

app.event('app_mention', async ({ body, client, event, sayStream }) => {
  if (event.text.endsWith('> stream')) {
    await write(sayStream({ buffer_size: 4 }));
    return;
  }
  await answer(client, event, body.team_id);
});

app.action('open', async ({ ack, body, client }) => {
  tell('interaction', { type: body.type });
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: modal('task') });
});

app.view(/task|confirm/, async ({ ack, body, view }) => {
  tell('interaction', { type: body.type });
  await ack(answerToSubmission(view));
});

app.command('/agent-task', async ({ ack, command, respond }) => {
  tell('command', { text: command.text });
  await ack('On it');
  await respond({ text: `Done: ${command.text}`, response_type: 'in_channel' });
});

await app.start();
