// Node `ws` with ioredis: one subscription connection, and a map from channel to the tabs of a session.
//
// As the README of ws says ("Server broadcast", "Legacy opt-in for performance"): permessage-deflate
// off, bufferutil installed, the event sent as the bytes that came from Redis. Each frame is made once
// with `Sender.frame()`, which its maintainer calls public and meant for this (websockets/ws issue 1524,
// pull request 1016), and written to the sockets of the upgrade requests.
'use strict';

const { Redis } = require('ioredis');
const { Sender, WebSocket, WebSocketServer } = require('ws');

const TEXT = { fin: true, opcode: 1, mask: false, rsv1: false, readOnly: true };

const channels = new Map();
const redis = new Redis(process.env.REDIS_URL);
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.env.PORT),
  perMessageDeflate: false,
});

server.on('connection', (tab, request) => {
  const url = new URL(request.url, 'ws://localhost');
  const channel = `session:{${url.searchParams.get('session_id')}}`;
  follow(channel, tab, request.socket);
  tab.on('error', console.error);
  tab.on('close', () => unfollow(channel, tab));
});

redis.on('messageBuffer', (channel, event) => {
  const tabs = channels.get(channel.toString());
  if (!tabs) return;
  const frame = Buffer.concat(Sender.frame(event, TEXT));
  for (const [tab, socket] of tabs) {
    if (tab.readyState === WebSocket.OPEN) socket.write(frame);
  }
});

function follow(channel, tab, socket) {
  const tabs = channels.get(channel);
  if (tabs) {
    tabs.set(tab, socket);
  } else {
    channels.set(channel, new Map([[tab, socket]]));
    redis.subscribe(channel);
  }
}

function unfollow(channel, tab) {
  const tabs = channels.get(channel);
  tabs.delete(tab);
  if (tabs.size === 0) {
    channels.delete(channel);
    redis.unsubscribe(channel);
  }
}
