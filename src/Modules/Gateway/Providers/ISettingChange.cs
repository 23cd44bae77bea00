using Verbatim.Platform.Events;

namespace Verbatim.Modules.Gateway.Providers;

/// <summary>An event that changes where calls go or how they are recorded: every instance reads its settings anew.</summary>
internal interface ISettingChange : IEvent;
