# Mailwright as an image: built JavaScript with production dependencies only, not run as root.
#
#   docker build -t mailwright .
#   docker run -p 25:2525 -v mailwright-data:/data -v ./config:/etc/mailwright:ro mailwright
#
# Why it runs dist/ and not the sources: docs/decisions/0002-image-runs-built-javascript.md.

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.ts scripts/
COPY bin bin
COPY src src
RUN npm run build
# The same lock file, without what only building and testing need.
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production \
    MAILWRIGHT__DATA_DIR=/data
COPY --from=build /build/package.json /app/
COPY --from=build /build/node_modules /app/node_modules
COPY --from=build /build/dist /app/dist
COPY LICENSE README.md /app/
COPY config /app/config
COPY corpus /app/corpus
# The configuration is at /etc/mailwright; seen as ./config, it is also what `docker exec ... mailwright crm contacts` finds by default.
COPY config/mailwright.yaml /etc/mailwright/
RUN mkdir -p /data /srv/mailwright \
 && chown node:node /data \
 && ln -s /etc/mailwright /srv/mailwright/config \
 && ln -s /app/dist/bin/mailwright.js /usr/local/bin/mailwright
WORKDIR /srv/mailwright
USER node
VOLUME /data
EXPOSE 2525 8025

# /livez is asked over loopback, where the HTTP door listens unless the configuration says otherwise.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MAILWRIGHT__HTTP__PORT ?? 8025}/livez`, { signal: AbortSignal.timeout(4000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

# Docker waits 10 s after SIGTERM, which is what the daemon takes at most.
ENTRYPOINT ["mailwright"]
CMD ["run", "--config", "/etc/mailwright/mailwright.yaml"]
