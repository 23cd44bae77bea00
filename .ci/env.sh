# Sourced by run and test, with $root set to the repository: finds dotnet and gives it a place to write.
# shellcheck shell=sh disable=SC2034,SC2154

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
# No build server may stay behind: neither MSBuild's nor its nodes. (The compiler's is switched off in build.)
export DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1

cache=$root/.cache
host=src/Host/bin/Release/net10.0/Verbatim.Host.dll

fail() {
    echo "$*" >&2
    exit 1
}

# In a container or a service, HOME may be unset, missing or read-only. Then everything that the tools keep goes
# into the repository instead. HOME itself stays as it is for Host, which has its own idea of it.
if [ -z "${HOME:-}" ] || [ ! -d "$HOME" ] || [ ! -w "$HOME" ]; then
    export DOTNET_CLI_HOME="$cache/home" NUGET_PACKAGES="$cache/nuget/packages"
    export NUGET_HTTP_CACHE_PATH="$cache/nuget/http" NUGET_PLUGINS_CACHE_PATH="$cache/nuget/plugins"
    export npm_config_cache="$cache/npm"
    tools_home=$cache/home
else
    tools_home=$HOME
fi

for folder in "${DOTNET_ROOT:-}" /usr/share/dotnet /usr/lib/dotnet /usr/local/share/dotnet "${HOME:-}/.dotnet"; do
    if ! command -v dotnet >/dev/null && [ -x "$folder/dotnet" ]; then
        PATH=$folder:$PATH
        export PATH
    fi
done

wanted_sdk="the .NET SDK 10.0.100 or later (https://dotnet.microsoft.com/download/dotnet/10.0)"
command -v dotnet >/dev/null || fail "Verbatim needs $wanted_sdk, and there is no dotnet on PATH."

# What a build needs, each with a sentence when it is missing.
check_build() {
    if ! mkdir -p "$cache" "$tools_home" 2>/dev/null || [ ! -w "$cache" ]; then
        fail "Verbatim must be built, and $root cannot be written by $(id -un): run this as the user who owns it."
    fi
    # In the repository dotnet obeys global.json, and fails when no SDK there is new enough.
    in_root dotnet --version >/dev/null 2>&1 ||
        fail "Verbatim needs $wanted_sdk; installed: $(dotnet --list-sdks | cut -d ' ' -f 1 | tr '\n' ' ')"
}

# dotnet, in the repository, with a home that can be written.
in_root() {
    (cd "$root" && HOME=$tools_home "$@")
}

# build PROJECT [option …]: a Release build that leaves no process behind.
build() {
    in_root dotnet build "$@" -c Release -v quiet -nodeReuse:false -p:UseSharedCompilation=false
}

# Fingerprint of all that Host is built from. By content: times and branches come and go.
sources() {
    (
        cd "$root" || exit
        find src global.json Directory.*.props .editorconfig \
            \( -name bin -o -name obj -o -name node_modules \) -prune -o -type f -exec cksum {} + | sort | cksum
    )
}

# Fingerprint of what was built, so that other builds into the same folder are noticed.
outputs() {
    (cd "$root" && find "${host%/*}" -name 'Verbatim.*' -type f -exec cksum {} + 2>/dev/null | sort | cksum)
}

stamp=$cache/host.stamp

# One build at a time, also between processes. flock ends with its holder; mkdir, where there is no flock, does not.
lock_build() {
    if command -v flock >/dev/null; then
        exec 9>"$cache/build.lock"
        flock 9
    else
        lock=$cache/build.lock.d
        told=
        until mkdir "$lock" 2>/dev/null; do
            [ -n "$told" ] || echo "Waiting for another build (remove $lock if there is none)" >&2
            told=yes
            sleep 1
        done
        trap 'rmdir "$lock"' EXIT
        trap 'exit 130' INT TERM HUP
    fi
}

unlock_build() {
    if command -v flock >/dev/null; then
        exec 9>&-
    else
        rmdir "$lock"
        trap - EXIT INT TERM HUP
    fi
}
