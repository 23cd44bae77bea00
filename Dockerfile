# The server alone; docker-compose.yml adds Postgres and Redis.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Host/Host.csproj -c Release -o /app --nologo

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# For the health check below.
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app .
ENV VERBATIM_HOME=/data Urls=http://0.0.0.0:8080
RUN install -d -o app -g app /data
VOLUME /data
USER app
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["curl", "-fsS", "http://localhost:8080/health/ready"]
ENTRYPOINT ["dotnet", "Verbatim.Host.dll"]
