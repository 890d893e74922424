// Socket.IO with its Redis adapter. Each tab joins the room of its session.
//
// As its documentation says: "Redis adapter" (with the ioredis package), "Performance tuning" (the
// native addon bufferutil; permessage-deflate is off by default), "Memory usage" (the first HTTP
// request of each socket is discarded). The engine is the default, `ws`: eiows, which that page names
// as another, does not install on every Node that runs this.
'use strict';

const { createServer } = require('node:http');

const { Redis } = require('ioredis');
const { Server } = require('socket.io');
const { createAdapter } = require('@socket.io/redis-adapter');

// How long a client may leave a ping unanswered. The load generator speaks no Engine.IO and answers
// none; with the default of 20 s it would be cut after three quarters of a minute.
const PONG_MS = 600_000;

const publisher = new Redis(process.env.REDIS_URL);
const subscriber = publisher.duplicate();
const http = createServer();
const server = new Server(http, {
  adapter: createAdapter(publisher, subscriber),
  transports: ['websocket'],
  serveClient: false,
  pingTimeout: PONG_MS,
});

server.on('connection', (tab) => {
  tab.join(tab.handshake.query.session_id);
  // Not before: the handshake is read from it.
  tab.conn.request = null;
});
http.listen(Number(process.env.PORT), '127.0.0.1');
