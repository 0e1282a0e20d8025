"""What a mention does, from Slack to Slack: a simulator, three processes between, and nothing that is put on."""
